// As much of a browser as the tested modules touch.

export class FakeSocket {
  static all: FakeSocket[] = [];
  sent: any[] = [];
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: (event: { code: number; reason: string }) => void = () => undefined;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {}
  say(message: object): void {
    this.onmessage({ data: JSON.stringify(message) });
  }
}

const ticket = { ok: true, status: 200, text: async () => '{"ticket":"t1"}' };
Object.assign(globalThis, {
  window: { setInterval: () => 0, clearInterval: () => undefined, setTimeout: (work: () => void) => setImmediate(work), clearTimeout: () => undefined },
  location: { protocol: 'http:', host: 'test' },
  WebSocket: FakeSocket,
  requestAnimationFrame: (draw: () => void) => setImmediate(draw),
  fetch: async () => ticket,
});

export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
