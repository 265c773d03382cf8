// A queue consumer without a firewall: what it does with packets is its one argument. It must run in the router's
// network namespace, where the queue is, hence as a process of its own over dist/. Prints "ready" once bound, its
// counters as one line of JSON on SIGTERM.
import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { PacketQueue } from '../../dist/io/queue/packet-queue.js';
import { DROP, HOLD, PASS } from '../../dist/verdict.js';
import { Packet } from '../../dist/wire/packet.js';

const HELD_TOGETHER = 8;
const HELD_MS = 5;
const packet = new Packet();
/** Copies of held packets, for those who send them back. */
let held = [];
let truncated = 0;

/** Holds packets in groups and releases each group last first; with `changed`, with their bytes. */
function holdAndReverse(changed) {
  const releaseAll = () => {
    for (const h of held.reverse()) queue.release(h.token, PASS, changed ? h.bytes : undefined, h.partial);
    held = [];
    queue.flush();
  };
  let timer;
  return (queue, count) => {
    for (let i = 0; i < count; i++) {
      queue.load(i, packet);
      held.push({
        token: packet.token,
        bytes: packet.bytes.slice(packet.at, packet.end),
        partial: packet.checksumPartial,
      });
      queue.verdict(i, HOLD, packet);
    }
    // Inside the batch, so that the letters overtake the batch's own verdicts; the rest when nothing more comes.
    if (held.length >= HELD_TOGETHER) releaseAll();
    clearTimeout(timer);
    timer = setTimeout(releaseAll, HELD_MS);
  };
}

/** Gives every packet the same verdict; with `changed`, sends every payload back. */
function same(verdict, changed) {
  return (queue, count) => {
    for (let i = 0; i < count; i++) {
      queue.load(i, packet);
      if (packet.truncated) truncated++;
      packet.modified = changed;
      queue.verdict(i, verdict, packet);
    }
  };
}

const HANDLERS = {
  pass: same(PASS, false),
  changed: same(PASS, true),
  drop: same(DROP.acl, false),
  undecided: () => undefined,
  'hold-reverse': holdAndReverse(false),
  'hold-changed': holdAndReverse(true),
  throw: () => {
    throw new Error('a bug in the handler');
  },
  // Answers each UDP datagram itself: addresses and ports exchanged, no UDP checksum.
  answer: (queue, count) => {
    for (let i = 0; i < count; i++) {
      queue.load(i, packet);
      const reply = packet.bytes.slice(packet.at, packet.end);
      if (reply[9] !== 17) {
        queue.verdict(i, PASS, packet);
        continue;
      }
      reply.copyWithin(12, packet.at, 0);
      reply.set(packet.bytes.slice(packet.at + 16, packet.at + 20), 12);
      reply.set(packet.bytes.slice(packet.at + 12, packet.at + 16), 16);
      reply.set(packet.bytes.slice(packet.at + 22, packet.at + 24), 20);
      reply.set(packet.bytes.slice(packet.at + 20, packet.at + 22), 22);
      reply.fill(0, 26, 28);
      queue.inject(reply);
      queue.verdict(i, DROP.acl, packet);
    }
  },
};

const handler = HANDLERS[process.argv[2]];
if (handler === undefined) {
  process.stderr.write(`usage: queue-consumer ${Object.keys(HANDLERS).join('|')}\n`);
  process.exit(2);
}
const queue = PacketQueue.open({ queue: 0 });
process.on('SIGTERM', () => {
  const stats = { ...queue.stats(), truncated };
  queue.close();
  process.stdout.write(`${JSON.stringify(stats)}\n`);
});
queue.start(handler);
process.stdout.write('ready\n');
