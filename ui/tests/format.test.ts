import assert from 'node:assert/strict';
import test from 'node:test';
import { age, decimal, direction, nanos, signed, time } from '../src/format';

test('decimals are grouped and rounded without ever being floats', () => {
  const cases: [string | null, number | undefined, string][] = [
    ['1234567.5', undefined, '1,234,567.5'],
    ['-0.00001', undefined, '−0.00001'],
    ['12', 2, '12.00'],
    ['12.345', 2, '12.35'],
    ['-999999.995', 2, '−1,000,000.00'],
    ['0.004', 2, '0.00'],
    ['-0.004', 2, '0.00'],
    ['0.5', 0, '1'],
    ['12.340', 2, '12.34'],
    ['99999999999999999999.99', 2, '99,999,999,999,999,999,999.99'],
    [null, 2, '–'],
    ['1e-17', undefined, '1e-17'],
  ];
  for (const [value, digits, expected] of cases) assert.equal(decimal(value, digits), expected);
});

test('a sign is always shown, for profit, loss and nothing', () => {
  const cases: [string | null, string, string][] = [
    ['5', '+5', 'up'], ['-5', '−5', 'down'], ['0', '0', ''], ['-0.00', '0.00', ''], [null, '–', ''],
  ];
  for (const [value, text, tone] of cases) {
    assert.equal(signed(value), text);
    assert.equal(direction(value), tone);
  }
});

test('times, ages and spans', () => {
  assert.equal(time('2014-05-07T00:00:01.1239Z'), '2014-05-07 00:00:01.123');
  assert.equal(time('2014-05-07T00:00:01Z'), '2014-05-07 00:00:01.000');
  assert.equal(time(null), '–');
  assert.equal(age(undefined, 0), 'never');
  assert.deepEqual([1_500, 42_000, 300_000, 7_200_000].map((ms) => age(0, ms)), ['1.5 s', '42 s', '5 min', '2 h']);
  assert.deepEqual([999, 1_500, 2_500_000, 3e9].map(nanos), ['999 ns', '1.50 µs', '2.50 ms', '3.00 s']);
});
