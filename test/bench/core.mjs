// scripts/bench js: microseconds of JavaScript per packet in the pure core, by kind of packet and number of sessions, and
// memory per session. Flat rows are the aim: a packet must not cost more because others have sessions. Sessions are
// visited in a shuffled order, so that the processor's caches help as little as they would on the wire. Time is that of
// the processor, which others on the machine disturb less than the clock's. Another build: BENCH_CORE=/path/to/dist.
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import console from 'node:console';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL, URL } from 'node:url';
import { tuneCompiler } from '../../dist/io/compiler.js';

const DIST = pathToFileURL((process.env.BENCH_CORE ?? join(import.meta.dirname, '../../dist')) + '/');
const load = (file) => import(new URL(file, DIST));
/** Builds from before the core had a folder of its own can be measured, too. */
const loadCore = (file) => load(`core/${file}`).catch(() => load(file));
const { Engine } = await loadCore('engine.js');
const { parseConfig } = await load('ios/config/parse.js');
const { compilePolicy } = await load('ios/compile/policy.js').catch(() => ({ compilePolicy: (config) => config }));
const { DROP, PASS } = await loadCore('verdict.js');
const { put16, put32 } = await loadCore('wire/bytes.js');
const { writeIpv4Checksum } = await loadCore('wire/checksum.js');
const { Packet } = await loadCore('wire/packet.js');

const CONFIG = join(import.meta.dirname, '../../config/3640.cfg');
const SESSIONS = [10, 1_000, 10_000, 100_000, 1_000_000];
/** So that pages and the heap's own do not count. */
const MEMORY_SESSIONS = [10_000, 100_000, 1_000_000];
const CAPACITY = 1_048_576;
const MEASURE_MS = 700;
const SYN = 2;
const ACK = 16;
const PSH = 8;
const ip = (...parts) => parts.reduce((address, part) => (address << 8) | part, 0);
const SERVER = ip(10, 10, 10, 2);
const SERVER_GLOBAL = ip(172, 22, 1, 110);

/** One engine, one packet in hand, and what it takes to send it there. */
class Bench {
  now = 1000;
  #packet = new Packet();
  #bytes = new Uint8Array(65536);
  /** False: packets are built but not handled, to know what building costs. */
  live = true;

  constructor(capacity) {
    const { config } = parseConfig(readFileSync(CONFIG, 'utf8'), CONFIG);
    this.outside = config.interfaces.findIndex((i) => i.nat === 'outside');
    this.inside = config.interfaces.findIndex((i) => i.nat === 'inside');
    const outbox = { event: () => undefined, release: () => undefined, inject: () => undefined };
    this.engine = new Engine(compilePolicy(config), { capacity, seed: 1, now: this.now }, outbox);
  }

  udp(ingress, src, srcPort, dst, dstPort) {
    const b = this.#bytes;
    put16(b, 20, srcPort);
    put16(b, 22, dstPort);
    put16(b, 24, 8 + 64);
    put16(b, 26, 0);
    this.#handle(ingress, 17, src, dst, 28 + 64);
  }

  tcp(ingress, src, srcPort, dst, dstPort, flags, seq, ack, payload) {
    const b = this.#bytes;
    put16(b, 20, srcPort);
    put16(b, 22, dstPort);
    put32(b, 24, seq);
    put32(b, 28, ack);
    b[32] = 0x50;
    b[33] = flags;
    put16(b, 34, 65535);
    if (payload !== undefined) b.set(payload, 40);
    this.#handle(ingress, 6, src, dst, 40 + (payload?.length ?? 0));
  }

  #handle(ingress, protocol, src, dst, length) {
    const b = this.#bytes;
    b[0] = 0x45;
    put16(b, 2, length);
    put16(b, 6, 0x4000);
    b[8] = 64;
    b[9] = protocol;
    put32(b, 12, src);
    put32(b, 16, dst);
    writeIpv4Checksum(b, 0, 20);
    const p = this.#packet;
    p.bytes = b;
    p.at = 0;
    p.end = length;
    p.ingress = ingress;
    p.gso = false;
    p.checksumPartial = false;
    p.checksumVerified = true;
    p.truncated = false;
    p.modified = false;
    if (!this.live) return;
    const verdict = this.engine.handle(p, this.now);
    if (verdict !== this.expected) throw new Error(`a packet got verdict ${verdict}, not ${this.expected}`);
  }
}

/** Session n's peer outside: 16,384 ports of as many addresses as it takes. */
const peer = (n) => (ip(198, 51, 100, 0) + (n >> 14)) | 0;
const port = (n) => 1024 + (n & 0x3fff);
const filled = (text, length) => new Uint8Array(length).fill(text.charCodeAt(0));
const SEGMENT = filled('d', 1000);
const NOOP = new Uint8Array(Buffer.from('NOOP\r\n'));
const OK = new Uint8Array(Buffer.from('250 ok\r\n'));

/** Kinds of traffic. `open` makes session n; `visit` sends two packets on it. `seq` and `ack` are per session. */
const KINDS = {
  'UDP, 64-byte payload': {
    open: (b, n) => KINDS['UDP, 64-byte payload'].visit(b, n),
    visit: (b, n) => {
      b.udp(b.inside, SERVER, port(n), peer(n), 5001);
      b.udp(b.outside, peer(n), 5001, SERVER_GLOBAL, port(n));
    },
  },
  'TCP, 1000-byte segment and its ACK': {
    open: (b, n, seq) => {
      b.tcp(b.inside, SERVER, port(n), peer(n), 5001, SYN, 0, 0);
      b.tcp(b.outside, peer(n), 5001, SERVER_GLOBAL, port(n), SYN | ACK, 0, 1);
      b.tcp(b.inside, SERVER, port(n), peer(n), 5001, ACK, 1, 1);
      seq[n] = 1;
    },
    visit: (b, n, seq) => {
      b.tcp(b.inside, SERVER, port(n), peer(n), 5001, ACK | PSH, seq[n], 1, SEGMENT);
      seq[n] += SEGMENT.length;
      b.tcp(b.outside, peer(n), 5001, SERVER_GLOBAL, port(n), ACK, 1, seq[n]);
    },
  },
  'SMTP, command and reply': {
    open: (b, n, seq, ack) => {
      const greeting = new Uint8Array(Buffer.from('220 mail ready\r\n'));
      b.tcp(b.outside, peer(n), port(n), SERVER_GLOBAL, 25, SYN, 0, 0);
      b.tcp(b.inside, SERVER, 25, peer(n), port(n), SYN | ACK, 0, 1);
      b.tcp(b.outside, peer(n), port(n), SERVER_GLOBAL, 25, ACK, 1, 1);
      b.tcp(b.inside, SERVER, 25, peer(n), port(n), ACK | PSH, 1, 1, greeting);
      seq[n] = 1;
      ack[n] = 1 + greeting.length;
    },
    visit: (b, n, seq, ack) => {
      b.tcp(b.outside, peer(n), port(n), SERVER_GLOBAL, 25, ACK | PSH, seq[n], ack[n], NOOP);
      seq[n] += NOOP.length;
      b.tcp(b.inside, SERVER, 25, peer(n), port(n), ACK | PSH, ack[n], seq[n], OK);
      ack[n] += OK.length;
    },
  },
  'SYN that access list 101 denies': {
    open: () => undefined,
    drops: true,
    visit: (b, n) => {
      b.tcp(b.outside, peer(n), port(n), SERVER_GLOBAL, 80, SYN, n, 0);
      b.tcp(b.outside, peer(n), port(n), SERVER_GLOBAL, 443, SYN, n, 0);
    },
  },
};

/** 0..n-1 in an order that is the same in every run. */
function shuffled(n) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let x = 12345;
  for (let i = n - 1; i > 0; i--) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    const j = x % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Visits sessions for a while. @returns µs per packet */
function timePerPacket(b, kind, order, seq, ack) {
  const from = process.hrtime.bigint();
  const used = process.cpuUsage();
  const start = b.now;
  let visits = 0;
  let spentMs = 0;
  while (spentMs < MEASURE_MS) {
    for (let i = 0; i < 1000; i++) kind.visit(b, order[visits++ % order.length], seq, ack);
    spentMs = Number(process.hrtime.bigint() - from) / 1e6;
    b.now = start + spentMs;
    b.engine.tick(b.now);
  }
  const { user, system } = process.cpuUsage(used);
  return (user + system) / (2 * visits);
}

/** Opens sessions. */
function opened(b, kind, sessions) {
  const seq = new Int32Array(sessions);
  const ack = new Int32Array(sessions);
  b.expected = PASS;
  for (let n = 0; n < sessions; n++) kind.open(b, n, seq, ack);
  if (!kind.drops && b.engine.sessions.table.size !== sessions) throw new Error('not all sessions were opened');
  return { seq, ack };
}

function measure(kind, sessions) {
  const b = new Bench(CAPACITY);
  const { seq, ack } = opened(b, kind, sessions);
  if (kind.drops) b.expected = DROP.acl;
  const order = shuffled(sessions);
  timePerPacket(b, kind, order, seq, ack); // warms up
  const whole = timePerPacket(b, kind, order, seq, ack);
  b.live = false;
  return whole - timePerPacket(b, kind, order, seq.slice(), ack.slice());
}

/** What the process grew by for each session, all of it: records, heap, rings. In a process of its own, with `gc`. */
function memoryPerSession(title, sessions) {
  const b = new Bench(CAPACITY);
  const used = () => {
    globalThis.gc();
    return process.memoryUsage.rss();
  };
  const before = used();
  const { seq, ack } = opened(b, KINDS[title], sessions);
  const own = seq.byteLength + ack.byteLength; // the benchmark's
  return Math.round((used() - before - own) / sessions);
}

const MEMORY = '--memory';
if (process.argv[2] === MEMORY) {
  console.log(memoryPerSession(process.argv[3], Number(process.argv[4])));
  process.exit();
}
tuneCompiler();
const row = (title, cells) => console.log(title.padEnd(36) + cells.map((cell) => String(cell).padStart(10)).join(''));
row('µs per packet, by sessions', [...SESSIONS, 'worst/best']);
for (const [title, kind] of Object.entries(KINDS)) {
  const times = SESSIONS.map((n) => measure(kind, n));
  row(title, [...times.map((t) => t.toFixed(2)), (Math.max(...times) / Math.min(...times)).toFixed(1)]);
}

const inChild = (...args) =>
  execFileSync(process.execPath, ['--expose-gc', import.meta.filename, MEMORY, ...args], { encoding: 'utf8' }).trim();
console.log();
row('bytes per session, by sessions', ['', '', ...MEMORY_SESSIONS]);
for (const [title, kind] of Object.entries(KINDS)) {
  if (!kind.drops) row(title, ['', '', ...MEMORY_SESSIONS.map((n) => inChild(title, String(n)))]);
}
