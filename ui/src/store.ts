// What the page knows: a fold over the messages of the stream.

import type {
  Account, Alert, Breaker, Build, EngineState, Execution, Instrument, Kind, Latency, Market, Me, Order, Position,
  StreamMessage, Strategy, Topic, EquityPoint,
} from './types';
import type { Link } from './stream';

const ORDERS_FINAL_MAX = 200;
const EXECUTIONS_MAX = 200;
const ALERTS_MAX = 100;
const EQUITY_MAX = 600;

export class Store {
  me: Me | null = null;
  build: Build | null = null;
  kinds: Kind[] = [];
  instruments: Instrument[] = [];
  engine: EngineState | null = null;
  account: Account | null = null;
  breakers: Breaker[] = [];
  latency: Latency[] = [];
  readonly orders = new Map<number, Order>();
  readonly executions = new Map<string, Execution>();
  readonly positions = new Map<string, Position>();
  readonly strategies = new Map<number, Strategy>();
  readonly markets = new Map<string, Market>();
  readonly alerts = new Map<string, Alert>();
  equity: EquityPoint[] = [];
  link: Link = 'connecting';
  linkDetail = '';
  journalSeq = 0;
  /** When (by this computer's clock) something was heard: of the server, of a topic, of a row. */
  heard: number | undefined;
  readonly heardTopic = new Map<Topic, number>();
  readonly heardRow = new Map<string, number>();
  private dirty = false;
  private readonly listeners: (() => void)[] = [];

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Everything is drawn at most once for each frame. */
  changed(): void {
    if (this.dirty) return;
    this.dirty = true;
    const draw = (): void => {
      this.dirty = false;
      this.listeners.forEach((listener) => listener());
    };
    // A hidden page gets no frames; it is drawn when it is looked at.
    requestAnimationFrame(draw);
  }

  setLink(link: Link, detail: string): void {
    this.link = link;
    this.linkDetail = detail;
    this.changed();
  }

  take(message: StreamMessage): void {
    this.heard = Date.now();
    if (message.type === 'heartbeat') this.journalSeq = message.journal_seq;
    if (message.type === 'snapshot' || message.type === 'delta') this.fold(message);
    this.changed();
  }

  private fold(message: Extract<StreamMessage, { type: 'snapshot' | 'delta' }>): void {
    const fresh = message.type === 'snapshot' && message.part === 1;
    this.heardTopic.set(message.topic, Date.now());
    switch (message.topic) {
      case 'engine':
        this.engine = message.data;
        this.journalSeq = Math.max(this.journalSeq, message.data.seq);
        break;
      case 'risk':
        this.breakers = message.data.breakers;
        break;
      case 'account':
        this.account = message.data;
        this.addEquity();
        break;
      case 'latency':
        this.latency = message.data;
        break;
      case 'orders':
        put(this.orders, fresh, message.data, (order) => order.id);
        this.boundOrders();
        break;
      case 'executions':
        put(this.executions, fresh, message.data, (execution) => execution.id);
        bound(this.executions, EXECUTIONS_MAX);
        break;
      case 'positions':
        put(this.positions, fresh, message.data, (p) => `${p.strategy ?? 'account'}/${p.instrument}`);
        message.data.forEach((p) => this.heardRow.set(`position/${p.strategy ?? 'account'}/${p.instrument}`, Date.now()));
        break;
      case 'strategies':
        put(this.strategies, fresh, message.data, (strategy) => strategy.id);
        break;
      case 'marketdata':
        put(this.markets, fresh, message.data, (market) => market.instrument);
        message.data.forEach((market) => this.heardRow.set(`market/${market.instrument}`, Date.now()));
        break;
      case 'alerts':
        put(this.alerts, fresh, message.data, (alert) => alert.id);
        bound(this.alerts, ALERTS_MAX);
        break;
    }
  }

  private addEquity(): void {
    if (!this.account?.equity) return;
    this.equity.push({ at: this.account.now, equity: this.account.equity });
    if (this.equity.length > EQUITY_MAX) this.equity = this.equity.filter((_, index) => index % 2 === 0);
  }

  private boundOrders(): void {
    const finals = [...this.orders.values()].filter((order) => order.final).map((order) => order.id);
    finals.sort((a, b) => a - b);
    finals.slice(0, Math.max(0, finals.length - ORDERS_FINAL_MAX)).forEach((id) => this.orders.delete(id));
  }
}

function put<K, V>(map: Map<K, V>, fresh: boolean, rows: readonly V[], key: (row: V) => K): void {
  if (fresh) map.clear();
  rows.forEach((row) => map.set(key(row), row));
}

/** The oldest leave: a Map keeps the order of insertion. */
function bound<K, V>(map: Map<K, V>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}
