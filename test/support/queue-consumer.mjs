// A queue consumer without a firewall: what it does with packets is its one argument. It must run in the router's
// network namespace, where the queue is, hence as a process of its own over dist/. Prints "ready" once bound, its
// counters as one line of JSON on SIGTERM.
import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { PacketQueue } from '../../dist/io/queue/packet-queue.js';
import { DROP, HOLD, PASS } from '../../dist/core/verdict.js';
import { Packet } from '../../dist/core/wire/packet.js';

const HELD_TOGETHER = 8;
const HELD_MS = 5;
const UDP = 17;
const packet = new Packet();
/** What the packets were like. */
const seen = { superPackets: 0, partialChecksums: 0, truncated: 0 };

/** @param decide called with each packet of a batch; returns the verdict */
function each(decide) {
  return (queue, count) => {
    for (let i = 0; i < count; i++) {
      queue.load(i, packet);
      if (packet.gso) seen.superPackets++;
      if (packet.checksumPartial) seen.partialChecksums++;
      if (packet.truncated) seen.truncated++;
      queue.verdict(i, decide(packet, queue), packet);
    }
  };
}

/** Holds packets in groups and releases each group last first; with `changed`, with their bytes. */
function holdAndReverse(changed) {
  let held = [];
  let timer;
  const releaseAll = (queue) => {
    for (const h of held.reverse()) queue.release(h.token, PASS, changed ? h.bytes : undefined, h.partial);
    held = [];
    queue.flush();
  };
  return each((p, queue) => {
    held.push({ token: p.token, bytes: p.bytes.slice(p.at, p.end), partial: p.checksumPartial });
    clearTimeout(timer);
    // A full group goes with the next batch, the rest when nothing more comes.
    timer = setTimeout(releaseAll, held.length >= HELD_TOGETHER ? 0 : HELD_MS, queue);
    return HOLD;
  });
}

/** Of eight datagrams the second and third are held, and released by the fourth, which goes before them; all go changed. */
function holdBehindGap() {
  let count = 0;
  let held = [];
  return each((p, queue) => {
    p.modified = true;
    if (p.bytes[p.at + 9] !== UDP) return PASS;
    const n = count++ % 8;
    if (n === 1 || n === 2) {
      held.push({ token: p.token, bytes: p.bytes.slice(p.at, p.end), partial: p.checksumPartial });
      return HOLD;
    }
    if (n === 3) {
      for (const h of held) queue.release(h.token, PASS, h.bytes, h.partial);
      held = [];
    }
    return PASS;
  });
}

/** Answers a UDP datagram itself: addresses and ports exchanged, no UDP checksum. */
function answer(p, queue) {
  if (p.bytes[p.at + 9] !== UDP) return PASS;
  const reply = p.bytes.slice(p.at, p.end);
  const swap = (a, b, n) => {
    const first = reply.slice(a, a + n);
    reply.copyWithin(a, b, b + n);
    reply.set(first, b);
  };
  swap(12, 16, 4);
  swap(20, 22, 2);
  reply.fill(0, 26, 28);
  queue.inject(reply);
  return DROP.acl;
}

const HANDLERS = {
  pass: each(() => PASS),
  changed: each((p) => {
    p.modified = true;
    return PASS;
  }),
  drop: each(() => DROP.acl),
  undecided: () => undefined,
  'hold-reverse': holdAndReverse(false),
  'hold-changed': holdAndReverse(true),
  'hold-gap': holdBehindGap(),
  answer: each(answer),
  throw: () => {
    throw new Error('a bug in the handler');
  },
};

const handler = HANDLERS[process.argv[2]];
if (handler === undefined) {
  process.stderr.write(`usage: queue-consumer ${Object.keys(HANDLERS).join('|')}\n`);
  process.exit(2);
}
const queue = PacketQueue.open({ queue: 0 });
/** Ends, once what came last has been released: what is still held after `tries` looks is lost. */
function finish(tries) {
  if (queue.stats().held > 0 && tries > 0) {
    setTimeout(finish, HELD_MS, tries - 1);
    return;
  }
  const stats = { ...queue.stats(), ...seen };
  queue.close();
  process.stdout.write(`${JSON.stringify(stats)}\n`);
  process.exit();
}
process.on('SIGTERM', finish.bind(undefined, 100));
queue.start(handler);
process.stdout.write('ready\n');
