// Account, equity curve, positions.

import { h, panel, setClass, setText, Table } from '../dom';
import { age, decimal, direction, signed, words } from '../format';
import type { Store } from '../store';
import type { Position } from '../types';
import type { View } from './context';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 600;
const HEIGHT = 80;

/** Screen coordinates only: the figures beside it are the server's own. */
function sparkline(): { element: SVGElement; update(store: Store): void } {
  const element = document.createElementNS(SVG, 'svg');
  element.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  element.setAttribute('preserveAspectRatio', 'none');
  element.setAttribute('role', 'img');
  element.setAttribute('class', 'spark');
  const line = document.createElementNS(SVG, 'polyline');
  line.setAttribute('vector-effect', 'non-scaling-stroke');
  element.append(line);
  return {
    element,
    update(store) {
      const values = store.equity.map((point) => Number(point.equity));
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const spread = high - low || 1;
      const step = WIDTH / Math.max(1, values.length - 1);
      const points = values.map((value, index) => `${(index * step).toFixed(1)},${(HEIGHT - 4 - ((value - low) / spread) * (HEIGHT - 8)).toFixed(1)}`);
      line.setAttribute('points', points.join(' '));
      const rising = (values.at(-1) ?? 0) >= (values[0] ?? 0);
      line.setAttribute('class', rising ? 'up' : 'down');
      const first = store.equity[0]?.equity;
      const last = store.equity.at(-1)?.equity;
      element.setAttribute('aria-label', first && last ? `Equity from ${decimal(first, 2)} to ${decimal(last, 2)}` : 'Equity, no data yet');
    },
  };
}

function figure(label: string): { element: HTMLElement; set(text: string, tone?: string, exact?: string | null): void } {
  const value = h('dd');
  return {
    element: h('div', { class: 'figure' }, h('dt', {}, label), value),
    set(text, tone = '', exact = null) {
      setText(value, text);
      setClass(value, tone);
      value.title = exact ?? '';
    },
  };
}

export function account(store: Store): View {
  const equity = figure('Equity');
  const realised = figure('Realised');
  const unrealised = figure('Unrealised');
  const fees = figure('Fees');
  const cash = figure('Cash');
  const heard = h('p', { class: 'age' });
  const curve = sparkline();
  const element = panel('Account', 'account',
    h('dl', { class: 'figures' }, equity.element, realised.element, unrealised.element, fees.element, cash.element), curve.element, heard);
  return {
    element,
    update() {
      const a = store.account;
      if (a) {
        equity.set(`${decimal(a.equity, 2)} ${a.currency}`, '', a.equity);
        realised.set(signed(a.realised, 2), direction(a.realised), a.realised);
        unrealised.set(signed(a.unrealised, 2), direction(a.unrealised), a.unrealised);
        fees.set(decimal(a.fees, 2), '', a.fees);
        cash.set(a.cash.map((c) => `${decimal(c.amount, 2)} ${c.currency}`).join(', ') || '–');
        setText(heard, `${a.account} · changed ${age(store.heardTopic.get('account'), Date.now())} ago`);
      } else {
        setText(heard, 'The engine has not told the account yet.');
      }
      curve.update(store);
    },
  };
}

export function positions(store: Store): View {
  const name = (p: Position): string => {
    if (p.strategy === null) return 'account';
    return store.strategies.get(p.strategy)?.name ?? `strategy ${p.strategy}`;
  };
  const row = (p: Position): string => `position/${p.strategy ?? 'account'}/${p.instrument}`;
  const table = new Table<Position>('Positions', 'No positions.', [
    { head: 'Book', text: name },
    { head: 'Instrument', text: (p) => p.instrument },
    { head: 'Position', numeric: true, text: (p) => signed(p.position), tone: (p) => direction(p.position) },
    { head: 'Average', numeric: true, text: (p) => decimal(p.avg_px) },
    { head: 'Mark', numeric: true, text: (p) => decimal(p.mark) },
    { head: 'Unrealised', numeric: true, text: (p) => signed(p.unrealised, 2), tone: (p) => direction(p.unrealised), title: (p) => p.unrealised ?? '' },
    { head: 'Realised', numeric: true, text: (p) => signed(p.realised, 2), tone: (p) => direction(p.realised), title: (p) => p.realised },
    { head: 'Fees', numeric: true, text: (p) => decimal(p.fees, 2), title: (p) => p.fees },
    { head: 'Currency', text: (p) => words(p.currency) },
    { head: 'Age', numeric: true, text: (p) => age(store.heardRow.get(row(p)), Date.now()) },
  ], row);
  const element = panel('Positions and P&L', 'positions', table.element);
  return {
    element,
    update() {
      const rows = [...store.positions.values()];
      rows.sort((a, b) => (a.strategy ?? -1) - (b.strategy ?? -1) || a.instrument.localeCompare(b.instrument));
      table.update(rows);
    },
  };
}
