// scripts/bench config: what a configuration costs by its number of lines. Flat rows are the aim where the cost is that
// of one line: reading one, checking one, printing one. A line typed on the console may cost more beside many others,
// and a packet that meets an access list should not. Each figure is the best of several, as the machine may be busy.
import console from 'node:console';
import { performance } from 'node:perf_hooks';
import { Engine } from '../../dist/core/engine.js';
import { PolicyCompiler } from '../../dist/ios/compile/policy.js';
import { checkConfig } from '../../dist/ios/check.js';
import { parseConfig, parseInSteps } from '../../dist/ios/config/parse.js';
import { runningConfig } from '../../dist/ios/config/running-config.js';
import { ConsoleSession } from '../../dist/ios/exec/session.js';
import { DROP } from '../../dist/core/verdict.js';
import { put16, put32 } from '../../dist/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../dist/core/wire/checksum.js';
import { Packet } from '../../dist/core/wire/packet.js';
import { configuration } from './config-text.mjs';

const SIZES = [100, 1_000, 10_000];
const BEST_OF = 5;

/** Calls `work` for about as long whatever the size. @returns ms a call, of the best of some rounds */
function best(work, calls = 1) {
  let least = Infinity;
  for (let round = 0; round < BEST_OF; round++) {
    const from = performance.now();
    for (let i = 0; i < calls; i++) work(i, round);
    least = Math.min(least, (performance.now() - from) / calls);
  }
  return least;
}

/** A router of one configuration without a host: its console, and packets by its outside interface. */
class Router {
  #packet = new Packet();
  #bytes = new Uint8Array(40);
  #session;

  constructor(config) {
    const outbox = { event: () => undefined, release: () => undefined, inject: () => undefined };
    this.config = config;
    const compiler = new PolicyCompiler();
    this.engine = new Engine(compiler.compile(config), { capacity: 65_536, seed: 1, now: 0 }, outbox);
    this.outside = config.interfaces.findIndex((i) => i.nat === 'outside');
    this.configure = (changed) => {
      this.config = changed;
      this.engine.configure(compiler.compile(changed), 1);
    };
    const actions = { apply: this.configure, log: () => undefined };
    const system = { uptimeMs: () => 0 };
    this.#session = new ConsoleSession({ config: () => this.config, actions, system }, 'console', 15);
    this.type('configure terminal');
  }

  type(line) {
    const { failed, output } = this.#session.execute(line);
    if (failed) throw new Error(`${line}: ${output}`);
  }

  /** A SYN that no entry of the list lets in. */
  knock(port) {
    const [b, p] = [this.#bytes, this.#packet];
    b.fill(0);
    b[0] = 0x45;
    put16(b, 2, 40);
    b[8] = 64;
    b[9] = 6;
    put32(b, 12, 0x08080808);
    put32(b, 16, (172 << 24) | (22 << 16) | (70 << 8) | (port & 255));
    put16(b, 20, port);
    put16(b, 22, 81);
    b[32] = 0x50;
    b[33] = 2;
    writeIpv4Checksum(b, 0, 20);
    const fields = { bytes: b, at: 0, end: 40, ingress: this.outside, checksumVerified: true, modified: false };
    if (this.engine.handle(Object.assign(p, fields), 1) !== DROP.acl) throw new Error('a SYN to port 81 came in');
  }
}

/** A configuration has a few lines more or less than was asked for. */
const linesOf = (text) => text.split('\n').length;
const texts = SIZES.map(configuration);
for (const text of texts) {
  const wrong = parseConfig(text, 'bench.cfg').errors.find((e) => e.severity === 'error');
  if (wrong !== undefined) throw new Error(`line ${wrong.line}: ${wrong.reason}`);
}
const configs = texts.map((text) => parseConfig(text, 'bench.cfg').config);
/** Small work is repeated. */
const repeats = SIZES.map((size) => Math.ceil(SIZES.at(-1) / size));

function longestStep(text) {
  const steps = parseInSteps(text, 'bench.cfg');
  let longest = 0;
  for (let done = false; !done;) {
    const from = performance.now();
    ({ done } = steps.next());
    longest = Math.max(longest, performance.now() - from);
  }
  return longest;
}

/** µs for each line of the whole work. */
const aLine = (work) => texts.map((text, i) => (best(() => work(text, configs[i]), repeats[i]) * 1000) / linesOf(text));
/** ms for one line typed, the lines being different ones. */
const typed = (line) =>
  configs.map((config) => {
    const router = new Router(config);
    return best((i, round) => router.type(line(round * 8 + i)), 8);
  });

const row = (title, cells) => console.log(title.padEnd(52) + cells.map((cell) => String(cell).padStart(10)).join(''));
const figures = (title, numbers) =>
  row(title, [...numbers.map((n) => n.toFixed(2)), (numbers.at(-1) / numbers[0]).toFixed(1)]);
row('by lines of the configuration', [...SIZES, 'last/first']);
figures(
  'read, µs a line',
  aLine((text) => parseConfig(text, 'bench.cfg')),
);
figures(
  'check (read and lint), µs a line',
  aLine((text) => checkConfig(text, 'bench.cfg')),
);
figures(
  'show running-config, µs a line',
  aLine((_, config) => runningConfig(config)),
);
figures(
  'longest piece of reading between packets, ms',
  texts.map((text) => Math.min(...[1, 2, 3].map(() => longestStep(text)))),
);
figures(
  'put in force in place of another, ms',
  texts.map((text) => {
    const router = new Router(parseConfig(text, 'bench.cfg').config);
    const others = Array.from({ length: BEST_OF }, () => parseConfig(text, 'bench.cfg').config);
    return best((_, round) => router.configure(others[round]));
  }),
);
figures(
  'configure terminal: hostname, ms',
  typed((i) => `hostname h${i}`),
);
figures(
  'configure terminal: access-list, ms',
  typed((i) => `access-list 101 permit tcp any host 192.0.2.${i} eq 25`),
);
figures(
  'configure terminal: ip nat inside source static, ms',
  typed((i) => `ip nat inside source static 10.10.9.${i + 1} 172.22.9.${i + 1}`),
);
figures(
  'first packet that the access list denies, µs',
  configs.map((config) => {
    const router = new Router(config);
    return best((i) => router.knock(i & 0x3fff), 20_000) * 1000;
  }),
);
