/**
 * `fw3640 capture`: Ethernet frames of the router's interfaces, as they came and as they left, in a pcapng file; beside
 * each, in a comment, what the running router made of it. A program of its own: no packet waits for it.
 */
import { spawnSync } from 'node:child_process';
import { CompiledAccessList } from '../core/acl/access-list.js';
import { PASS } from '../core/verdict.js';
import { decodeIpv4, decodeTransport } from '../core/wire/decode.js';
import { Packet } from '../core/wire/packet.js';
import { networkOffset } from '../io/capture/link-types.js';
import { CaptureFileError, LINKTYPE_ETHERNET, PcapngFile } from '../io/capture/pcapng-file.js';
import { packetKey, VerdictBook } from '../io/capture/verdict-book.js';
import { CommandSession, ConsoleError } from '../io/console-client.js';
import { readVerdictLines } from '../ios/capture/verdict-lines.js';
import { compilePolicy } from '../ios/compile/policy.js';
import { parseConfig } from '../ios/config/parse.js';
import { canonicalInterface } from '../ios/interface-name.js';
import { EXIT } from './exit.js';

export interface CaptureOptions {
  /** `Ethernet2/0`, or `Ethernet2/0=eth1` where no router runs. */
  interface: string[];
  write: string;
  count?: number;
  seconds?: number;
  /** `access-list L`, or an expression of pcap-filter(7). */
  filter?: string;
  socket: string;
}

/** Bytes that the kernel keeps for us, for each interface. */
const RING = 32 * 1024 * 1024;
/** Of a frame; longer ones are cut. */
const MOST_FRAME = 65_535;
const ASK_MS = 100;
/** A frame waits so long for its verdict. */
const PATIENCE_MS = 1500;
/** Frames that wait: with more, the oldest are written without. */
const MOST_WAITING = 20_000;
const MOST_WAITING_BYTES = 64 * 1024 * 1024;
const OUTGOING = 6; // offset of the sender's hardware address

/** What can be done something about; `exitCode` says whose fault it is. */
class Refusal extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.runtime,
  ) {
    super(message);
  }
}

interface Frame {
  interface: number;
  name: string;
  timeMs: number;
  bytes: Buffer;
  length: number;
  direction: 'in' | 'out';
  /** By which it is known to the router; undefined: it is no IPv4 packet. */
  key: string | undefined;
}

interface Device {
  name: string;
  device: string;
  address: Buffer;
}

const ipv4At = networkOffset(LINKTYPE_ETHERNET)!;

/** ms since 1970, with fractions. */
const nowMs = (): number => performance.timeOrigin + performance.now();

export async function capture(options: CaptureOptions): Promise<void> {
  let router: CommandSession | undefined;
  try {
    router = await CommandSession.open(options.socket).catch((error: unknown) => {
      if (error instanceof ConsoleError) return undefined;
      throw error;
    });
    const asked = router === undefined ? undefined : await ask(router, 0);
    const devices = devicesOf(options.interface, asked?.devices, options.socket);
    const { pcap, permits } = await filterOf(options.filter, router);
    const run = new CaptureRun(options, devices, permits, router, asked?.next ?? 0);
    await run.start(pcap);
    await run.ended;
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof CaptureFileError || error instanceof ConsoleError)) throw error;
    console.error(`fw3640: ${error.message}`);
    process.exitCode = error instanceof Refusal ? error.exitCode : EXIT.runtime;
  } finally {
    router?.close();
  }
}

async function ask(router: CommandSession, from: number) {
  const { output, failed } = await router.run(`monitor capture verdicts ${from}`);
  if (failed) throw new Refusal(`the router does not tell verdicts: ${output.trim()}`);
  return readVerdictLines(output);
}

function devicesOf(
  names: readonly string[],
  bound: Readonly<Record<string, string>> | undefined,
  socket: string,
): Device[] {
  return names.map((given) => {
    const [typed = '', device] = given.split('=');
    const name = canonicalInterface(typed);
    if (name === undefined)
      throw new Refusal(`--interface ${given}: no name of an interface, as Ethernet2/0 is`, EXIT.usage);
    const linux = device ?? bound?.[name];
    if (linux === undefined) {
      const why = bound === undefined ? `no router answers at ${socket}` : 'the router has no such interface';
      throw new Refusal(`--interface ${given}: ${why}: give it as ${name}=eth1`, EXIT.usage);
    }
    const address = hardwareAddress(linux);
    if (address === undefined) throw new Refusal(`--interface ${given}: there is no Linux interface ${linux} here`);
    return { name, device: linux, address };
  });
}

/** As `ip` tells it: /sys may be that of another network namespace. */
function hardwareAddress(device: string): Buffer | undefined {
  const { status, stdout } = spawnSync('ip', ['-j', 'link', 'show', 'dev', device], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  const [link] = JSON.parse(stdout) as { address?: string }[];
  return Buffer.from((link?.address ?? '').replaceAll(':', ''), 'hex');
}

/** A filter for libpcap, or one of our own for what it let through. */
async function filterOf(
  filter: string | undefined,
  router: CommandSession | undefined,
): Promise<{ pcap: string; permits?: (frame: Uint8Array) => boolean }> {
  const [, name] = /^access-list\s+(\S+)$/.exec(filter ?? '') ?? [];
  if (name === undefined) return { pcap: filter ?? '' };
  if (router === undefined) throw new Refusal('--filter access-list: no router runs that has one', EXIT.usage);
  const { output } = await router.run('show running-config');
  const text = output.slice(Math.max(0, output.indexOf('\n!')));
  const list = compilePolicy(parseConfig(text, 'running-config').config).accessLists.get(name);
  if (list === undefined) throw new Refusal(`--filter: the router has no access list ${name}`, EXIT.usage);
  const compiled = new CompiledAccessList(name, list.items);
  const p = new Packet();
  const permits = (frame: Uint8Array): boolean => {
    const at = ipv4At(frame);
    if (at < 0) return false;
    p.bytes = frame;
    p.at = at;
    p.end = frame.length;
    p.truncated = false;
    p.checksumVerified = true;
    return decodeIpv4(p) === PASS && decodeTransport(p) === PASS && compiled.permitsPacket(p);
  };
  return { pcap: 'ip', permits };
}

class CaptureRun {
  readonly ended: Promise<void>;
  #end!: () => void;
  #fail!: (error: unknown) => void;
  readonly #file: PcapngFile;
  readonly #book = new VerdictBook();
  readonly #waiting: Frame[] = [];
  #waitingBytes = 0;
  #taken = 0;
  #stopping = false;
  readonly #closers: (() => void)[] = [];
  #asking: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: CaptureOptions,
    private readonly devices: readonly Device[],
    private readonly permits: ((frame: Uint8Array) => boolean) | undefined,
    private router: CommandSession | undefined,
    private next: number,
  ) {
    this.#file = new PcapngFile(
      options.write,
      devices.map((d) => d.name),
      LINKTYPE_ETHERNET,
    );
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
  }

  async start(filter: string): Promise<void> {
    const cap = await import('cap').catch(() => {
      throw new Refusal('the package cap is not built here: install libpcap-dev, then: npm rebuild cap');
    });
    for (const [index, { device }] of this.devices.entries()) {
      const buffer = Buffer.alloc(MOST_FRAME);
      const one = new cap.default.Cap();
      try {
        if (one.open(device, filter, RING, buffer) !== 'ETHERNET')
          throw new Refusal(`${device} is no Ethernet interface`);
      } catch (error) {
        if (error instanceof Refusal) throw error;
        const wrong = filter !== '' && /filter|syntax|parse/i.test((error as Error).message);
        throw new Refusal(`${device}: ${(error as Error).message}`, wrong ? EXIT.usage : EXIT.runtime);
      }
      one.on('packet', (length) => this.#guard(() => this.#take(index, buffer, length)));
      this.#closers.push(() => one.close());
    }
    const stop = (): void => void this.#stop();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
    if (this.options.seconds !== undefined) setTimeout(stop, this.options.seconds * 1000).unref();
    this.#asking = setInterval(() => void this.#round(), ASK_MS);
    console.error(`capturing on ${this.devices.map((d) => d.name).join(', ')}, ^C ends it`);
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#close();
      this.#fail(error);
    }
  }

  #take(index: number, buffer: Buffer, captured: number): void {
    if (this.#stopping) return;
    const bytes = Buffer.from(buffer.subarray(0, captured));
    if (this.permits?.(bytes) === false) return;
    const { name, address } = this.devices[index]!;
    const at = ipv4At(bytes);
    const key = at < 0 ? undefined : packetKey(bytes.subarray(at));
    const length = at < 0 ? captured : Math.max(captured, at + bytes.readUInt16BE(at + 2));
    const direction = bytes.subarray(OUTGOING, OUTGOING + address.length).equals(address) ? 'out' : 'in';
    this.#waiting.push({ interface: index, name, timeMs: nowMs(), bytes, length, direction, key });
    this.#waitingBytes += captured;
    if (this.#waiting.length > MOST_WAITING || this.#waitingBytes > MOST_WAITING_BYTES) this.#write(true, 1);
    if (++this.#taken === this.options.count) void this.#stop();
  }

  #asked: Promise<void> = Promise.resolve();

  /** Asks for verdicts, and writes what has its own by now. One round at a time. */
  #round(): Promise<void> {
    this.#asked = this.#asked.then(async () => {
      await this.#hear();
      this.#guard(() => {
        this.#write(false);
        this.#file.flush();
      });
    });
    return this.#asked;
  }

  async #hear(): Promise<void> {
    for (let more = true; more && this.router !== undefined;) {
      try {
        const batch = await ask(this.router, this.next);
        this.next = batch.next;
        for (const r of batch.records) this.#book.take(r);
        more = batch.records.length > 0;
      } catch {
        console.error('fw3640: the router answers no more: what follows has no verdicts');
        this.router = undefined;
      }
    }
    this.#book.forget(nowMs());
  }

  /**
   * Writes the frames, the oldest first, up to one whose verdict may yet come.
   * @param final none will come
   * @param most how many; undefined: all
   */
  #write(final: boolean, most = Infinity): void {
    const now = nowMs();
    let written = 0;
    for (const f of this.#waiting) {
      if (written === most) break;
      const last = final || this.router === undefined || now - f.timeMs > PATIENCE_MS;
      const comment = f.key === undefined ? undefined : this.#book.find(f.name, f.key, f.timeMs, last);
      if (comment === undefined && f.key !== undefined && !last) break;
      const { interface: index, timeMs, bytes, length, direction } = f;
      this.#file.packet({ interface: index, timeMs, bytes, length, direction, comment });
      this.#waitingBytes -= bytes.length;
      written++;
    }
    this.#waiting.splice(0, written);
  }

  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    clearInterval(this.#asking);
    // What the last packets came to is told within two rounds.
    for (let i = 0; i < 2 && this.router !== undefined; i++) {
      await this.#round();
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
    await this.#round();
    try {
      this.#write(true);
      this.#file.close();
      this.#close();
      console.error(`${this.#file.packets} packets captured`);
      this.#end();
    } catch (error) {
      this.#close();
      this.#fail(error);
    }
  }

  #close(): void {
    this.#stopping = true;
    clearInterval(this.#asking);
    for (const close of this.#closers.splice(0)) close();
  }
}
