import assert from 'node:assert/strict';
import test from 'node:test';
import { Stream } from '../src/stream';
import type { StreamMessage } from '../src/types';
import { FakeSocket, settle } from './browser';

interface Heard {
  messages: StreamMessage[];
  links: string[];
}

async function open(): Promise<{ stream: Stream; socket: FakeSocket; heard: Heard }> {
  const heard: Heard = { messages: [], links: [] };
  const stream = new Stream({ message: (m) => heard.messages.push(m), link: (link, detail) => heard.links.push(`${link} ${detail}`.trim()) });
  await settle();
  const socket = FakeSocket.all.at(-1);
  assert.ok(socket);
  return { stream, socket, heard };
}

const delta = (seq: number): object => ({ type: 'delta', topic: 'orders', seq, data: [] });

test('it logs in by ticket, subscribes, and passes on what has no gap', async () => {
  const { socket, heard, stream } = await open();
  assert.equal(socket.url, 'ws://test/api/v1/stream?ticket=t1');
  socket.say({ type: 'welcome', run: 'a' });
  assert.ok(socket.sent[0].subscribe.includes('orders') && socket.sent[0].resume === undefined);
  socket.say(delta(1));
  assert.equal(heard.messages.length, 1, 'a delta before its snapshot is not for us');
  socket.say({ type: 'snapshot', topic: 'orders', seq: 5, part: 1, parts: 1, data: [] });
  socket.say(delta(5));
  socket.say(delta(6));
  assert.deepEqual(heard.messages.map((m) => ('seq' in m ? m.seq : 0)), [0, 5, 6]);
  socket.say(delta(8));
  assert.deepEqual(socket.sent[1], { subscribe: ['orders'] }, 'a gap means a new snapshot');
  assert.equal(heard.messages.length, 3);
  stream.stop();
});

test('it comes back by itself and goes on where it ended, unless it is another process', async () => {
  const { socket, heard, stream } = await open();
  socket.say({ type: 'welcome', run: 'a' });
  socket.say({ type: 'snapshot', topic: 'orders', seq: 5, part: 1, parts: 1, data: [] });
  socket.onclose({ code: 4429, reason: 'slow_reader' });
  await settle();
  const again = FakeSocket.all.at(-1);
  assert.ok(again && again !== socket);
  again.say({ type: 'welcome', run: 'a' });
  assert.deepEqual(again.sent[0].resume, { run: 'a', seqs: { orders: 5 } });
  again.onclose({ code: 1001, reason: '' });
  await settle();
  const other = FakeSocket.all.at(-1);
  other?.say({ type: 'welcome', run: 'b' });
  assert.equal(other?.sent[0].resume, undefined);
  assert.deepEqual(heard.links, ['connecting', 'live', 'lost slow_reader', 'connecting', 'live', 'lost closed (1001)', 'connecting', 'live']);
  stream.stop();
});
