import assert from 'node:assert/strict';
import test from 'node:test';
import { Store } from '../src/store';
import type { StreamMessage } from '../src/types';

const order = (id: number, final = false): object => ({ id, final, status: final ? 'filled' : 'new', instrument: 'SPY' });
const snapshot = (data: object[], part = 1, parts = 1): StreamMessage =>
  ({ type: 'snapshot', topic: 'orders', seq: 1, part, parts, data }) as unknown as StreamMessage;
const delta = (topic: string, data: unknown): StreamMessage => ({ type: 'delta', topic, seq: 2, data }) as unknown as StreamMessage;

test('a snapshot replaces, its further parts add, a delta changes', () => {
  const store = new Store();
  store.take(snapshot([order(1), order(2)]));
  store.take(snapshot([order(5)], 1, 2));
  store.take(snapshot([order(6)], 2, 2));
  assert.deepEqual([...store.orders.keys()], [5, 6]);
  store.take(delta('orders', [order(6, true), order(7)]));
  assert.deepEqual([...store.orders.values()].map((o) => [o.id, o.final]), [[5, false], [6, true], [7, false]]);
});

test('memory is bounded and live orders never leave', () => {
  const store = new Store();
  store.take(delta('orders', [order(1)]));
  for (let id = 2; id < 1_000; id += 1) store.take(delta('orders', [order(id, true)]));
  assert.equal(store.orders.size, 201);
  assert.ok(store.orders.has(1) && store.orders.has(999) && !store.orders.has(700));
  for (let id = 0; id < 1_000; id += 1) store.take(delta('executions', [{ id: `${id}.0` }]));
  assert.equal(store.executions.size, 200);
  assert.ok(store.executions.has('999.0'));
  for (let n = 0; n < 2_000; n += 1) store.take(delta('account', { equity: String(n), now: '2026-01-05T00:00:00Z', cash: [] }));
  assert.ok(store.equity.length <= 600);
  assert.equal(store.equity.at(-1)?.equity, '1999');
});

test('positions of strategies and of the account are different rows', () => {
  const store = new Store();
  const position = (strategy: number | null): object => ({ strategy, instrument: 'SPY', position: '1' });
  store.take(delta('positions', [position(null), position(3), position(3)]));
  assert.deepEqual([...store.positions.keys()], ['account/SPY', '3/SPY']);
});
