// The control page.

import { api, logout, renew, whenLoggedOut } from './api';
import { h } from './dom';
import { Store } from './store';
import { Stream } from './stream';
import { complain } from './toast';
import type { EngineState, Build, EquityPoint, Instrument, Kind, Me } from './types';
import { account, positions } from './views/account';
import type { View } from './views/context';
import { showLogin, showSetup } from './views/gate';
import { executions, orders, ticket } from './views/orders';
import { banner, controls, status } from './views/shell';
import { strategies } from './views/strategies';
import { alerts, breakers, latency, market } from './views/system';

const root = document.getElementById('app') ?? document.body;
let running: { store: Store; stream: Stream; clock: number } | null = null;

function stop(): void {
  running?.stream.stop();
  if (running) window.clearInterval(running.clock);
  running = null;
  document.body.classList.remove('offline');
}

function leave(): void {
  stop();
  document.querySelectorAll('dialog').forEach((dialog) => dialog.remove());
  showLogin(root, start);
}

/** What the stream does not tell: it changes only with the process. */
async function loadFacts(store: Store): Promise<void> {
  const [engine, kinds, instruments, equity] = await Promise.all([
    api<EngineState & { build: Build }>('GET', 'engine'),
    api<{ kinds: Kind[] }>('GET', 'strategies/kinds'),
    api<{ instruments: Instrument[] }>('GET', 'instruments'),
    api<{ points: EquityPoint[] }>('GET', 'equity?points=300'),
  ]);
  store.build = engine.build;
  store.kinds = kinds.kinds;
  store.instruments = instruments.instruments;
  store.equity = equity.points;
  store.changed();
}

function start(me: Me): void {
  stop();
  const store = new Store();
  store.me = me;
  const views: View[] = [banner(store), status(store, () => void logout().finally(leave)), controls(store)];
  const head = h('div', { class: 'head' }, ...views.map((view) => view.element));
  const panels = [account(store), strategies(store), positions(store), ticket(store), orders(store), executions(store),
    market(store), breakers(store), latency(store), alerts(store)];
  views.push(...panels);
  root.replaceChildren(head, h('main', { class: 'panels' }, ...panels.map((view) => view.element)));
  const update = (): void => views.forEach((view) => view.update());
  store.onChange(update);
  let run = '';
  const stream = new Stream({
    message(message) {
      // Another process life: its facts may be others.
      if (message.type === 'welcome' && message.run !== run) {
        run = message.run;
        loadFacts(store).catch(complain);
      }
      store.take(message);
    },
    link: (link, detail) => store.setLink(link, detail),
  });
  // Ages go on when nothing is heard.
  const clock = window.setInterval(update, 500);
  running = { store, stream, clock };
  update();
}

whenLoggedOut(leave);
const setupToken = location.pathname === '/setup' ? new URLSearchParams(location.search).get('token') : null;
if (setupToken !== null) {
  showSetup(root, setupToken, start);
} else {
  renew().then((me) => (me ? start(me) : showLogin(root, start)), (error: unknown) => {
    showLogin(root, start);
    complain(error);
  });
}
