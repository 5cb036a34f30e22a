// Breakers, latencies, market data, alerts.

import { api } from '../api';
import { askReason } from '../dialog';
import { h, panel, setText, Table } from '../dom';
import { age, decimal, nanos, time, words } from '../format';
import type { Store } from '../store';
import type { Alert, Breaker, Latency, Market } from '../types';
import type { View } from './context';
import { permit } from './context';

export function breakers(store: Store): View {
  const table = new Table<Breaker>('Breakers', 'The breakers are not known yet.', [
    { head: 'Breaker', text: (b) => words(b.kind) },
    { head: 'State', text: (b) => (b.tripped ? `tripped: ${words(b.tripped.action)}` : 'armed'), tone: (b) => (b.tripped ? 'bad' : 'good') },
    { head: 'Since', text: (b) => time(b.tripped?.at) },
    {
      head: 'Why',
      text: (b) => {
        if (!b.tripped) return b.rearm_reason ? `re-armed: ${b.rearm_reason}` : '';
        const { message, value, limit } = b.tripped;
        return value === null ? message : `${message} ${decimal(value)} against ${decimal(limit)}.`;
      },
    },
    {
      head: '',
      node: (row) => {
        const rearm = h('button', { type: 'button', class: 'small' }, 'Re-arm');
        rearm.addEventListener('click', () => askReason(`Re-arm ${words(row().kind)}?`, 'Re-arm', async (reason) => {
          await api('POST', `breakers/${row().kind}/rearm`, { reason });
        }));
        return {
          element: rearm,
          update: (b) => {
            rearm.hidden = b.tripped === null;
            permit(store, rearm, 'admin');
          },
        };
      },
    },
  ], (breaker) => breaker.kind);
  const trip = h('button', { type: 'button', class: 'danger small' }, 'Trip by hand');
  trip.addEventListener('click', () => askReason('Trip the manual breaker?', 'Trip', async (reason) => {
    await api('POST', 'breakers/trip', { reason });
  }, true));
  return {
    element: panel('Breakers', 'breakers', h('div', { class: 'row end' }, trip), table.element),
    update() {
      permit(store, trip, 'trader', !store.breakers.some((b) => b.kind === 'manual' && b.tripped), 'It is tripped.');
      table.update(store.breakers);
    },
  };
}

export function latency(store: Store): View {
  const over = (l: Latency): string => (l.budget !== null && l.handling.p99 > l.budget ? 'bad' : '');
  const heard = h('p', { class: 'age' });
  const table = new Table<Latency>('Latency', 'No latency was measured yet.', [
    { head: 'Actor', text: (l) => words(l.actor) },
    { head: 'Calls', numeric: true, text: (l) => decimal(String(l.handling.count)) },
    { head: 'Waiting p50', numeric: true, text: (l) => nanos(l.queue.p50) },
    { head: 'Waiting p99', numeric: true, text: (l) => nanos(l.queue.p99) },
    { head: 'Handling p50', numeric: true, text: (l) => nanos(l.handling.p50) },
    { head: 'Handling p99', numeric: true, text: (l) => nanos(l.handling.p99), tone: over },
    { head: 'p99.9', numeric: true, text: (l) => nanos(l.handling.p999) },
    { head: 'Max', numeric: true, text: (l) => nanos(l.handling.max) },
    { head: 'Budget p99', numeric: true, text: (l) => (l.budget === null ? '–' : nanos(l.budget)) },
    { head: 'Breaches', numeric: true, text: (l) => decimal(String(l.breaches)), tone: (l) => (l.breaches > 0 ? 'warn' : '') },
  ], (row) => row.actor);
  return {
    element: panel('Latency', 'latency', table.element, heard),
    update() {
      table.update(store.latency);
      setText(heard, `Measured since the start, told ${age(store.heardTopic.get('latency'), Date.now())} ago`);
    },
  };
}

export function market(store: Store): View {
  const last = (m: Market): string => decimal(m.trade?.px ?? m.bar?.close);
  const table = new Table<Market>('Market data', 'No market data yet: start the engine.', [
    { head: 'Instrument', text: (m) => m.instrument },
    { head: 'Source', text: (m) => m.source ?? '–', tone: (m) => (m.source === 'LIVE' ? '' : 'warn') },
    {
      head: 'Age',
      numeric: true,
      text: (m) => age(store.heardRow.get(`market/${m.instrument}`), Date.now()),
      tone: (m) => (Date.now() - (store.heardRow.get(`market/${m.instrument}`) ?? 0) > 10_000 ? 'stale' : ''),
    },
    { head: 'Bid qty', numeric: true, text: (m) => decimal(m.quote?.bid_qty) },
    { head: 'Bid', numeric: true, text: (m) => decimal(m.quote?.bid) },
    { head: 'Ask', numeric: true, text: (m) => decimal(m.quote?.ask) },
    { head: 'Ask qty', numeric: true, text: (m) => decimal(m.quote?.ask_qty) },
    { head: 'Last', numeric: true, text: last },
    { head: 'Venue time', text: (m) => time(m.quote?.ts ?? m.trade?.ts ?? m.bar?.ts_close) },
    { head: 'Events', numeric: true, text: (m) => decimal(String(m.events)) },
  ], (row) => row.instrument);
  return {
    element: panel('Market data', 'market', table.element),
    update: () => table.update([...store.markets.values()].sort((a, b) => a.instrument.localeCompare(b.instrument))),
  };
}

export function alerts(store: Store): View {
  const table = new Table<Alert>('Alerts', 'No alerts.', [
    { head: 'Time', text: (a) => time(a.now) },
    { head: 'Code', text: (a) => a.code, tone: () => 'warn' },
    { head: 'What', text: (a) => a.message },
  ], (alert) => alert.id);
  return {
    element: panel('Alerts', 'alerts', table.element),
    update: () => table.update([...store.alerts.values()].reverse()),
  };
}
