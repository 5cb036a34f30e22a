// The one place that turns the server's words and numbers into text. Decimals are never floats: they stay
// strings, and rounding counts in whole units of the last digit shown.

/** Groups thousands; with `digits` rounded (half away from zero) or padded to so many, else as it came. */
export function decimal(value: string | null | undefined, digits?: number): string {
  if (value === null || value === undefined) return '–';
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(value);
  if (!match) return value;
  let [, sign = '', whole = '0', fraction = ''] = match;
  if (digits !== undefined) {
    const up = fraction.length > digits && fraction.charAt(digits) >= '5' ? 1n : 0n;
    const units = String(BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0')) + up).padStart(digits + 1, '0');
    whole = units.slice(0, units.length - digits);
    fraction = units.slice(units.length - digits);
  }
  if (isZero(whole + fraction)) sign = '';
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return `${sign === '-' ? '−' : ''}${grouped}${fraction ? `.${fraction}` : ''}`;
}

/** As decimal, with its sign always shown. */
export function signed(value: string | null | undefined, digits?: number): string {
  const text = decimal(value, digits);
  if (value === null || value === undefined || isZero(text) || text.startsWith('−')) return text;
  return `+${text}`;
}

export function isZero(value: string): boolean {
  return !/[1-9]/.test(value);
}

/** Profit, loss or neither. */
export function direction(value: string | null | undefined): 'up' | 'down' | '' {
  if (value === null || value === undefined || isZero(value)) return '';
  return value.startsWith('-') ? 'down' : 'up';
}

/** Time of day in UTC with milliseconds, and the date when it is not `today`. */
export function time(value: string | null | undefined): string {
  if (!value) return '–';
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.(\d+))?Z$/.exec(value);
  if (!match) return value;
  const [, date = '', clock = '', fraction = ''] = match;
  const today = new Date().toISOString().slice(0, 10);
  const millis = fraction.padEnd(3, '0').slice(0, 3);
  return `${date === today ? '' : `${date} `}${clock}.${millis}`;
}

/** Milliseconds since then, in words. */
export function age(then: number | undefined, now: number): string {
  if (then === undefined) return 'never';
  const seconds = Math.max(0, now - then) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.floor(seconds)} s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** Nanoseconds in the unit that fits. */
export function nanos(value: number): string {
  if (value < 1_000) return `${value} ns`;
  if (value < 1_000_000) return `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)} µs`;
  if (value < 1_000_000_000) return `${(value / 1_000_000).toFixed(2)} ms`;
  return `${(value / 1_000_000_000).toFixed(2)} s`;
}

/** `partially_filled` as people read it. */
export function words(value: string): string {
  return value.replaceAll('_', ' ');
}
