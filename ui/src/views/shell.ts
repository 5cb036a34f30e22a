// Banner, status line, engine buttons and the kill button.

import { api } from '../api';
import { askReason } from '../dialog';
import { h, setClass, setText } from '../dom';
import { age, decimal, direction, signed, time, words } from '../format';
import type { Store } from '../store';
import { act, complain, tell } from '../toast';
import type { View } from './context';
import { permit } from './context';

const HOLD_MS = 1_000;

/** PAPER or LIVE, and what the prices are, in words. */
export function banner(store: Store): View {
  const element = h('div', { class: 'banner', role: 'note' });
  return {
    element,
    update() {
      const build = store.build;
      if (!build) return;
      const market = build.market === 'LIVE' ? 'LIVE MARKET DATA' : `${build.market} MARKET DATA`;
      setText(element, `${build.mode} TRADING · ${market}${build.market_detail ? ` (${build.market_detail})` : ''}`);
      setClass(element, `banner ${build.mode.toLowerCase()}`);
      document.title = `${build.mode} · Argonaut`;
    },
  };
}

function pill(label: string): { element: HTMLElement; set(text: string, tone: string, title?: string): void } {
  const value = h('strong');
  const element = h('span', { class: 'pill' }, `${label} `, value);
  return {
    element,
    set(text, tone, title = '') {
      setText(value, text);
      setClass(element, `pill ${tone}`);
      element.title = title;
    },
  };
}

/** One line with the state of everything. */
export function status(store: Store, logout: () => void): View {
  const [link, engine, trading, session, pnl, seq] = ['Link', 'Engine', 'Trading', 'Venue', 'P&L', 'Journal'].map(pill) as
    [ReturnType<typeof pill>, ReturnType<typeof pill>, ReturnType<typeof pill>, ReturnType<typeof pill>, ReturnType<typeof pill>, ReturnType<typeof pill>];
  const user = h('span', { class: 'user' });
  const out = h('button', { type: 'button', class: 'quiet', onclick: logout }, 'Log out');
  const element = h('header', { class: 'status' }, link.element, engine.element, trading.element, session.element,
    pnl.element, seq.element, h('span', { class: 'grow' }), h('a', { href: '/docs' }, 'API'), user, out);
  return {
    element,
    update() {
      const heard = age(store.heard, Date.now());
      if (store.link === 'live') link.set(`live, heard ${heard} ago`, 'good');
      else link.set(store.link === 'lost' ? `lost: ${words(store.linkDetail)}, last heard ${heard} ago` : 'connecting', 'warn');
      document.body.classList.toggle('offline', store.link !== 'live');
      const state = store.engine;
      if (state) {
        engine.set(state.state, state.state === 'running' ? 'good' : 'warn');
        const tone = { active: 'good', reducing: 'warn', halted: 'bad' }[state.trading];
        trading.set(state.tripped.length > 0 ? `${state.trading}, tripped: ${state.tripped.map(words).join(', ')}` : state.trading, tone);
        const ready = state.sessions.filter((s) => s.state === 'ready').length;
        const unknown = state.sessions.reduce((sum, s) => sum + s.unknown_orders, 0);
        const detail = state.sessions.map((s) => `venue ${s.venue}: ${words(s.state)} ${s.reason}`).join('; ');
        const text = ready === state.sessions.length && ready > 0 ? 'ready' : state.sessions.map((s) => words(s.state)).join(', ') || 'none';
        session.set(unknown > 0 ? `${text}, ${unknown} unknown orders` : text, unknown > 0 ? 'bad' : ready > 0 ? 'good' : 'warn', detail);
        seq.set(`#${store.journalSeq}`, '', `Engine time ${time(state.now)}`);
      }
      const account = store.account;
      if (account) {
        pnl.set(`${signed(account.unrealised, 2)} open, ${signed(account.realised, 2)} realised`, direction(account.unrealised), `Fees ${decimal(account.fees)}`);
      }
      setText(user, store.me ? `${store.me.name} (${store.me.role})` : '');
    },
  };
}

function killButton(store: Store): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'kill' }, 'Hold to KILL');
  let timer = 0;
  const stop = (): void => {
    window.clearTimeout(timer);
    button.classList.remove('holding');
  };
  const start = (): void => {
    if (button.disabled || button.classList.contains('holding')) return;
    button.classList.add('holding');
    timer = window.setTimeout(() => {
      stop();
      tell('Kill sent: halting, canceling every order, pausing every strategy.');
      api('POST', 'kill', { reason: `kill button held by ${store.me?.name ?? 'somebody'}` }).then(
        () => tell('Killed: trading is halted.'),
        complain,
      );
    }, HOLD_MS);
  };
  button.addEventListener('pointerdown', start);
  for (const event of ['pointerup', 'pointerleave', 'pointercancel', 'blur', 'keyup']) button.addEventListener(event, stop);
  button.addEventListener('keydown', (event) => {
    if ((event.key === ' ' || event.key === 'Enter') && !event.repeat) start();
  });
  button.addEventListener('contextmenu', (event) => event.preventDefault());
  button.title = 'Hold for one second: halts trading, cancels every order, pauses every strategy';
  return button;
}

/** Start, stop, halt, reduce only, resume, kill. */
export function controls(store: Store): View {
  const start = h('button', { type: 'button', class: 'primary' }, 'Start engine');
  const stop = h('button', { type: 'button' }, 'Stop engine');
  const reduce = h('button', { type: 'button' }, 'Reduce only');
  const halt = h('button', { type: 'button', class: 'danger' }, 'Halt');
  const resume = h('button', { type: 'button' }, 'Resume');
  const kill = killButton(store);
  start.addEventListener('click', () => void act(start, () => api('POST', 'engine/start'), 'The engine starts.'));
  stop.addEventListener('click', () => void act(stop, () => api('POST', 'engine/stop'), 'The engine stops; working orders are canceled.'));
  const asked = (button: HTMLButtonElement, title: string, verb: string, path: string, danger = false): void =>
    button.addEventListener('click', () => askReason(title, verb, async (reason) => { await api('POST', path, { reason }); }, danger));
  asked(reduce, 'Allow only orders that reduce a position?', 'Reduce only', 'engine/reduce-only');
  asked(halt, 'Halt trading? Only cancels stay allowed.', 'Halt trading', 'engine/halt', true);
  asked(resume, 'Open trading again?', 'Resume trading', 'engine/resume');
  const element = h('div', { class: 'controls', role: 'group', 'aria-label': 'Engine' }, start, stop, resume, reduce, halt,
    h('span', { class: 'grow' }), kill);
  return {
    element,
    update() {
      const state = store.engine?.state;
      const trading = store.engine?.trading;
      const running = state === 'running';
      permit(store, start, 'trader', state === 'stopped', `The engine is ${state ?? 'unknown'}.`);
      permit(store, stop, 'trader', state === 'running' || state === 'starting', `The engine is ${state ?? 'unknown'}.`);
      permit(store, resume, 'trader', running && trading !== 'active', running ? 'Trading is active.' : 'The engine does not run.');
      permit(store, reduce, 'trader', running && trading === 'active', running ? `Trading is ${trading ?? 'unknown'}.` : 'The engine does not run.');
      permit(store, halt, 'trader', running && trading !== 'halted', running ? 'Trading is halted.' : 'The engine does not run.');
      permit(store, kill, 'trader');
      if (!kill.disabled) kill.title = 'Hold for one second: halts trading, cancels every order, pauses every strategy';
    },
  };
}
