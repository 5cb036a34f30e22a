// What the server says: the shapes of /api/v1/openapi.json and of the stream. Decimals are strings.

export type Role = 'viewer' | 'trader' | 'admin';

export interface Me {
  id: number;
  name: string;
  role: Role;
}

export interface Session {
  access_token: string;
  expires_in: number;
  user: Me;
}

export interface Fault {
  field: string;
  code: string;
  message: string;
}

export interface Denial {
  code: string;
  message: string;
  value: string | null;
  limit: string | null;
}

export interface Problem {
  status: number;
  code: string;
  title: string;
  correlation_id?: string;
  faults?: Fault[];
  denial?: Denial;
}

export interface Build {
  version: string;
  commit: string;
  mode: 'PAPER' | 'LIVE';
  market: 'SIMULATED' | 'HISTORICAL' | 'LIVE';
  market_detail: string;
  started: string;
}

export interface VenueSession {
  venue: number;
  state: string;
  reason: string;
  unknown_orders: number;
  now: string;
}

export interface EngineState {
  state: 'stopped' | 'starting' | 'running' | 'stopping';
  trading: 'active' | 'reducing' | 'halted';
  tripped: string[];
  sessions: VenueSession[];
  seq: number;
  now: string;
}

export interface Order {
  id: number;
  instrument: string;
  side: 'buy' | 'sell';
  type: 'market' | 'limit' | 'stop' | 'stop_limit';
  qty: string;
  px: string | null;
  stop_px: string | null;
  tif: string;
  status: string;
  final: boolean;
  cum_qty: string;
  leaves_qty: string;
  avg_px: string | null;
  origin: 'strategy' | 'user' | 'external';
  strategy: number | null;
  user: number | null;
  pending_cancel: boolean;
  reason: ({ by: 'gate' } & Denial) | { by: 'venue'; code: string; message: string } | null;
  created: string;
  updated: string;
}

export interface Execution {
  id: string;
  order: number;
  kind: 'new' | 'correct' | 'cancel' | 'fee_only';
  instrument: string;
  side: 'buy' | 'sell';
  qty: string;
  px: string;
  liquidity: string;
  fee: { amount: string; currency: string } | null;
  strategy: number | null;
  ts_venue: string;
}

export interface Position {
  strategy: number | null;
  instrument: string;
  currency: string;
  position: string;
  avg_px: string | null;
  mark: string | null;
  realised: string;
  unrealised: string | null;
  fees: string;
  now: string;
}

export interface Account {
  account: string;
  currency: string;
  cash: { currency: string; amount: string }[];
  equity: string | null;
  realised: string | null;
  unrealised: string | null;
  fees: string | null;
  now: string;
}

export type ParamValue = number | string | boolean;

export interface Strategy {
  id: number;
  kind: string;
  name: string;
  instruments: string[];
  params: Record<string, ParamValue>;
  version: number;
  state: 'running' | 'paused' | 'stopped' | 'faulted';
  restarts: number;
}

export interface ParamSchema {
  type: 'integer' | 'string' | 'boolean';
  title: string;
  description: string;
  default?: ParamValue;
  minimum?: number;
  maximum?: number;
  enum?: string[];
  'x-minimum'?: string;
  'x-maximum'?: string;
}

export interface Kind {
  name: string;
  title: string;
  description: string;
  instruments: string;
  schema: { properties: Record<string, ParamSchema>; required: string[] };
}

export interface Trip {
  at: string;
  action: string;
  message: string;
  value: string | null;
  limit: string | null;
}

export interface Breaker {
  kind: string;
  tripped: Trip | null;
  rearmed_by: number | null;
  rearm_reason: string | null;
}

export interface Risk {
  breakers: Breaker[];
}

export interface Figures {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

export interface Latency {
  actor: string;
  queue: Figures;
  handling: Figures;
  budget: number | null;
  breaches: number;
}

export interface Market {
  instrument: string;
  source: string | null;
  quote: { bid: string | null; ask: string | null; bid_qty: string; ask_qty: string; ts: string } | null;
  trade: { px: string; qty: string; ts: string } | null;
  bar: { open: string; high: string; low: string; close: string; volume: string; ts_close: string } | null;
  events: number;
  now: string;
}

export interface Instrument {
  symbol: string;
  class: string;
  currency: string;
  tick: string;
  lot: string;
  open: boolean;
}

export interface Alert {
  id: string;
  code: string;
  message: string;
  now: string;
}

export interface EquityPoint {
  at: string;
  equity: string;
}

/** What each topic carries in one message. */
export interface TopicData {
  orders: Order[];
  executions: Execution[];
  positions: Position[];
  account: Account | null;
  strategies: Strategy[];
  risk: Risk;
  engine: EngineState;
  marketdata: Market[];
  latency: Latency[];
  alerts: Alert[];
}

export type Topic = keyof TopicData;

export const TOPICS: readonly Topic[] = [
  'engine', 'risk', 'account', 'strategies', 'orders', 'executions', 'positions', 'marketdata', 'latency', 'alerts',
];

type TopicMessage = {
  [T in Topic]:
    | { type: 'snapshot'; topic: T; seq: number; part: number; parts: number; data: TopicData[T] }
    | { type: 'delta'; topic: T; seq: number; data: TopicData[T] };
}[Topic];

/** Everything the stream can say. */
export type StreamMessage =
  | TopicMessage
  | { type: 'welcome'; run: string; user: string; role: Role; expires: string; heartbeat_ms: number }
  | { type: 'resumed'; topic: Topic; seq: number }
  | { type: 'heartbeat'; now: string; journal_seq: number }
  | { type: 'error'; problem: Problem };
