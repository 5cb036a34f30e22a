// The live stream: reconnects by itself and goes on where it ended; a gap means a new snapshot.

import { ApiError, ticket } from './api';
import type { StreamMessage, Topic } from './types';
import { TOPICS } from './types';

export type Link = 'connecting' | 'live' | 'lost';

export interface StreamHandler {
  message(message: StreamMessage): void;
  link(link: Link, detail: string): void;
}

const BACKOFF_MS_MAX = 10_000;
/** Without a word for so long the connection is given up (the server sends a heartbeat every 5 s). */
const SILENCE_MS_MAX = 15_000;

export class Stream {
  private socket: WebSocket | null = null;
  private run = '';
  private readonly seqs = new Map<Topic, number>();
  private attempts = 0;
  private heard = 0;
  private stopped = false;
  private timer = 0;
  private readonly watch = window.setInterval(() => this.look(), 1_000);

  constructor(private readonly handler: StreamHandler) {
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    window.clearInterval(this.watch);
    window.clearTimeout(this.timer);
    this.socket?.close();
  }

  private async connect(): Promise<void> {
    if (this.stopped) return;
    this.handler.link('connecting', '');
    let query: string;
    try {
      query = `?ticket=${await ticket()}`;
    } catch (error) {
      this.again(error instanceof ApiError ? error.problem.title : String(error));
      return;
    }
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/stream${query}`);
    this.socket = socket;
    this.heard = Date.now();
    socket.onmessage = (event: MessageEvent<string>) => this.take(JSON.parse(event.data) as StreamMessage);
    socket.onclose = (event) => {
      if (this.socket === socket) this.again(event.reason || `closed (${event.code})`);
    };
  }

  private again(detail: string): void {
    this.socket = null;
    if (this.stopped) return;
    this.handler.link('lost', detail);
    const wait = Math.min(BACKOFF_MS_MAX, 500 * 2 ** this.attempts) * (0.5 + Math.random() / 2);
    this.attempts += 1;
    this.timer = window.setTimeout(() => void this.connect(), wait);
  }

  private look(): void {
    if (this.socket && Date.now() - this.heard > SILENCE_MS_MAX) {
      const socket = this.socket;
      this.socket = null;
      socket.close();
      this.again('no heartbeat');
    }
  }

  private take(message: StreamMessage): void {
    this.heard = Date.now();
    switch (message.type) {
      case 'welcome': {
        const same = message.run === this.run;
        if (!same) this.seqs.clear();
        this.run = message.run;
        this.attempts = 0;
        this.say({ subscribe: TOPICS, ...(same ? { resume: { run: this.run, seqs: Object.fromEntries(this.seqs) } } : {}) });
        this.handler.link('live', '');
        break;
      }
      case 'snapshot':
        this.seqs.set(message.topic, message.seq);
        break;
      case 'delta': {
        const last = this.seqs.get(message.topic);
        // Before the snapshot, or part of it: already known.
        if (last === undefined || message.seq <= last) return;
        if (message.seq > last + 1) {
          this.say({ subscribe: [message.topic] });
          return;
        }
        this.seqs.set(message.topic, message.seq);
        break;
      }
      default:
        break;
    }
    this.handler.message(message);
  }

  private say(message: object): void {
    this.socket?.send(JSON.stringify(message));
  }
}
