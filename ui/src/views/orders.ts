// Order ticket, orders, executions.

import { api } from '../api';
import { formDialog } from '../dialog';
import { h, panel, setText, Table } from '../dom';
import { decimal, time, words } from '../format';
import type { Store } from '../store';
import { act } from '../toast';
import type { Execution, Order } from '../types';
import type { View } from './context';
import { permit } from './context';

function option(value: string, text = value): HTMLOptionElement {
  return h('option', { value }, text);
}

export function ticket(store: Store): View {
  const instrument = h('select', { name: 'instrument', required: true });
  const side = h('select', { name: 'side' }, option('buy', 'Buy'), option('sell', 'Sell'));
  const type = h('select', { name: 'type' }, option('market', 'Market'), option('limit', 'Limit'), option('stop', 'Stop'), option('stop_limit', 'Stop limit'));
  const tif = h('select', { name: 'tif' }, option('day', 'Day'), option('gtc', 'Until canceled'), option('ioc', 'Immediate or cancel'), option('fok', 'Fill or kill'));
  const number = (name: string): HTMLInputElement => h('input', { name, inputmode: 'decimal', autocomplete: 'off', pattern: '[0-9]+(\\.[0-9]+)?' });
  const [qty, px, stopPx] = [number('qty'), number('px'), number('stop_px')] as [HTMLInputElement, HTMLInputElement, HTMLInputElement];
  qty.required = true;
  const pxLabel = h('label', {}, 'Limit price', px);
  const stopLabel = h('label', {}, 'Stop price', stopPx);
  const send = h('button', { type: 'submit', class: 'primary' }, 'Buy');
  const form = h('form', { class: 'ticket' }, h('label', {}, 'Instrument', instrument), h('label', {}, 'Side', side),
    h('label', {}, 'Type', type), h('label', {}, 'Quantity', qty), pxLabel, stopLabel, h('label', {}, 'Time in force', tif), send);
  const shape = (): void => {
    const limit = type.value.includes('limit');
    const stop = type.value.includes('stop');
    [pxLabel.hidden, px.required, stopLabel.hidden, stopPx.required] = [!limit, limit, !stop, stop];
    send.className = side.value === 'buy' ? 'buy' : 'sell';
    setText(send, `${side.value === 'buy' ? 'Buy' : 'Sell'} ${instrument.value}`);
  };
  form.addEventListener('input', shape);
  // One wish, one key: pressing again after a lost answer does not place a second order.
  let key = crypto.randomUUID();
  form.addEventListener('input', () => { key = crypto.randomUUID(); });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const body: Record<string, string> = { instrument: instrument.value, side: side.value, type: type.value, qty: qty.value, tif: tif.value };
    if (!pxLabel.hidden) body['px'] = px.value;
    if (!stopLabel.hidden) body['stop_px'] = stopPx.value;
    void act(send, async () => {
      const order = await api<Order>('POST', 'orders', body, { 'idempotency-key': key });
      key = crypto.randomUUID();
      return order;
    }, `Order sent: ${side.value} ${qty.value} ${instrument.value}.`);
  });
  let known = 0;
  return {
    element: panel('Order ticket', 'ticket', form),
    update() {
      if (known !== store.instruments.length) {
        known = store.instruments.length;
        instrument.replaceChildren(...store.instruments.map((i) => option(i.symbol)));
      }
      shape();
      permit(store, send, 'trader', store.engine?.state === 'running', 'The engine does not run.');
    },
  };
}

function origin(store: Store, order: Order): string {
  if (order.strategy !== null) return store.strategies.get(order.strategy)?.name ?? `strategy ${order.strategy}`;
  return order.origin === 'user' && order.user === store.me?.id ? 'me' : order.origin;
}

function price(order: Order): string {
  const parts = [order.stop_px === null ? '' : `stop ${decimal(order.stop_px)}`, decimal(order.px)];
  return order.px === null && order.stop_px === null ? 'market' : parts.filter((part) => part !== '' && part !== '–').join(' → ');
}

function modify(order: Order): void {
  const number = (value: string | null): HTMLInputElement =>
    h('input', { inputmode: 'decimal', autocomplete: 'off', pattern: '[0-9]+(\\.[0-9]+)?', value: value ?? '' });
  const fields = { qty: number(order.qty), px: number(order.px), stop_px: number(order.stop_px) };
  const content = h('div', { class: 'stack' }, h('label', {}, `Quantity (now ${decimal(order.qty)}, fills included)`, fields.qty),
    order.px === null ? null : h('label', {}, `Limit price (now ${decimal(order.px)})`, fields.px),
    order.stop_px === null ? null : h('label', {}, `Stop price (now ${decimal(order.stop_px)})`, fields.stop_px));
  formDialog(`Modify order ${order.id}`, content, 'Send the change', async () => {
    const body: Record<string, string> = {};
    if (fields.qty.value !== order.qty) body['qty'] = fields.qty.value;
    if (order.px !== null && fields.px.value !== order.px) body['px'] = fields.px.value;
    if (order.stop_px !== null && fields.stop_px.value !== order.stop_px) body['stop_px'] = fields.stop_px.value;
    await api('PATCH', `orders/${order.id}`, body);
  });
}

export function orders(store: Store): View {
  const table = new Table<Order>('Orders', 'No orders yet.', [
    { head: 'Order', numeric: true, text: (o) => String(o.id) },
    { head: 'Time', text: (o) => time(o.created) },
    { head: 'Instrument', text: (o) => o.instrument },
    { head: 'Side', text: (o) => o.side, tone: (o) => o.side },
    { head: 'Type', text: (o) => `${words(o.type)} ${o.tif}` },
    { head: 'Quantity', numeric: true, text: (o) => decimal(o.qty) },
    { head: 'Price', numeric: true, text: price },
    { head: 'Filled', numeric: true, text: (o) => decimal(o.cum_qty) },
    { head: 'Average', numeric: true, text: (o) => decimal(o.avg_px) },
    { head: 'Status', text: (o) => words(o.status), tone: (o) => `state-${o.status}`, title: (o) => (o.reason ? `${o.reason.code}: ${o.reason.message}` : '') },
    { head: 'From', text: (o) => origin(store, o) },
    {
      head: '',
      node: (row) => {
        const cancel = h('button', { type: 'button', class: 'small' }, 'Cancel');
        const change = h('button', { type: 'button', class: 'small' }, 'Modify');
        cancel.addEventListener('click', () => void act(cancel, () => api('DELETE', `orders/${row().id}`), 'Cancel sent.'));
        change.addEventListener('click', () => modify(row()));
        const element = h('span', { class: 'row' }, change, cancel);
        return {
          element,
          update: (order) => {
            element.hidden = order.final;
            permit(store, cancel, 'trader', !order.pending_cancel, 'A cancel is on its way.');
            permit(store, change, 'trader', !order.pending_cancel, 'A cancel is on its way.');
          },
        };
      },
    },
  ], (order) => String(order.id));
  const all = h('button', { type: 'button', class: 'danger small' }, 'Cancel all');
  all.addEventListener('click', () => {
    const live = [...store.orders.values()].filter((order) => !order.final).length;
    formDialog(`Cancel ${live} live orders?`, h('p', {}, 'Strategies may place new ones.'), `Cancel ${live} orders`,
      async () => { await api('DELETE', 'orders?all=true'); }, true);
  });
  const count = h('span', { class: 'count' });
  const element = panel('Orders', 'orders', h('div', { class: 'row end' }, count, all), table.element);
  return {
    element,
    update() {
      const rows = [...store.orders.values()].sort((a, b) => Number(a.final) - Number(b.final) || b.id - a.id);
      const live = rows.filter((order) => !order.final).length;
      setText(count, `${live} live, ${rows.length - live} recent final`);
      permit(store, all, 'trader', live > 0, 'No live orders.');
      table.update(rows.slice(0, 150));
    },
  };
}

export function executions(store: Store): View {
  const table = new Table<Execution>('Executions', 'No executions yet.', [
    { head: 'Time', text: (e) => time(e.ts_venue) },
    { head: 'Order', numeric: true, text: (e) => String(e.order) },
    { head: 'Kind', text: (e) => words(e.kind), tone: (e) => (e.kind === 'new' ? '' : 'warn') },
    { head: 'Instrument', text: (e) => e.instrument },
    { head: 'Side', text: (e) => e.side, tone: (e) => e.side },
    { head: 'Quantity', numeric: true, text: (e) => decimal(e.qty) },
    { head: 'Price', numeric: true, text: (e) => decimal(e.px) },
    { head: 'Liquidity', text: (e) => words(e.liquidity) },
    { head: 'Fee', numeric: true, text: (e) => (e.fee ? `${decimal(e.fee.amount, 4)} ${e.fee.currency}` : '–'), title: (e) => e.fee?.amount ?? '' },
    { head: 'From', text: (e) => (e.strategy === null ? 'account' : (store.strategies.get(e.strategy)?.name ?? `strategy ${e.strategy}`)) },
  ], (execution) => execution.id);
  return {
    element: panel('Executions', 'executions', table.element),
    update: () => table.update([...store.executions.values()].reverse().slice(0, 100)),
  };
}
