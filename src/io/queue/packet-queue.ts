/**
 * The NFQUEUE edge: batches of packets in memory shared with native/fwq.c, one synchronous call per batch, a pipe that
 * wakes us when the empty queue fills again. Decides nothing. A packet without a verdict is dropped.
 */
import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net';
import { HOLD, PASS, type Verdict } from '../../core/verdict.js';
import { u8 } from '../../core/wire/bytes.js';
import { copyBytes } from '../../core/wire/copy.js';
import type { Packet } from '../../core/wire/packet.js';
import {
  ACTION,
  COUNTERS,
  HEAD,
  HEADROOM,
  INFO,
  LETTER,
  LETTER_BYTES,
  LETTERS,
  MAX_PACKET,
  MAX_SLOTS,
  PADDING,
  SLOT,
  STRIDE,
  layoutFor,
} from './layout.js';
import { procText } from '../proc.js';
import { QueueError } from './queue-error.js';
import { openNative, type NativeQueue } from './shim.js';

const DEFAULT_SLOTS = 128;
/** Packets that may wait in the kernel, held ones included. Its own default, 1024, is short for 10 ms of small ones. */
const DEFAULT_MAX_LENGTH = 4096;
/** Packets in a row before timers and the control plane get a turn, ms. */
const TURN_MS = 1;

export interface QueueOptions {
  /** NFQUEUE number, 0..65535, in the network namespace of this process. */
  queue: number;
  /** Most packets in one batch, 1..512. */
  slots?: number;
  /** Most packets that wait in the kernel, held ones included. */
  maxLength?: number;
}

/** Counters since the queue was opened, in packets unless named otherwise. */
export interface QueueStats extends Record<(typeof COUNTERS)[number], number> {
  /** Times that the empty queue filled again and woke us. */
  wakeups: number;
  /** Held now. */
  held: number;
  /** Late verdicts for packets that were not held. */
  unknownReleases: number;
  /** Wait in the kernel for a verdict now, held ones included. */
  kernelQueued: number;
  /** Dropped by the kernel because the queue was full. */
  kernelQueueDropped: number;
  /** Dropped by the kernel because our socket was full. */
  kernelUserDropped: number;
}

/** Called once per batch; must decide packets 0..count-1 with `verdict`. */
export type BatchHandler = (queue: PacketQueue, count: number) => void;

export class PacketQueue {
  readonly #number: number;
  readonly #native: NativeQueue;
  readonly #bytes: Uint8Array;
  readonly #head: Int32Array;
  readonly #slots: Int32Array;
  readonly #letters: Int32Array;
  /** A held packet was released within this batch; and the letter of the packet in hand, which keeps its place behind. */
  #released = false;
  #place = NO_PLACE;
  /** Room for letters: from, up to, and the first free byte. */
  readonly #lettersFrom: number;
  readonly #lettersEnd: number;
  #letterAt: number;
  /** Where the memory of the slots begins. */
  readonly #dataFrom: number;
  /** Packets without a verdict, by id; the value is the slot's `info`. */
  readonly #held = new Map<number, number>();
  #wake: Socket | undefined;
  #onBatch: BatchHandler | undefined;
  #open = true;
  #inBatch = false;
  #wakeups = 0;
  #unknownReleases = 0;

  private constructor(options: QueueOptions) {
    const slots = options.slots ?? DEFAULT_SLOTS;
    if (!Number.isInteger(slots) || slots < 1 || slots > MAX_SLOTS) throw new RangeError(`slots: 1..${MAX_SLOTS}`);
    const layout = layoutFor(slots);
    const memory = Buffer.from(new ArrayBuffer(layout.size));
    this.#number = options.queue;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#head = new Int32Array(memory.buffer, 0, HEAD.bytes / 4);
    this.#slots = new Int32Array(memory.buffer, HEAD.bytes, slots * SLOT.ints);
    this.#letters = new Int32Array(memory.buffer, layout.letters, LETTERS * LETTER.ints);
    this.#lettersFrom = layout.letterBytes;
    this.#lettersEnd = layout.letterBytes + LETTER_BYTES;
    this.#letterAt = this.#lettersFrom;
    this.#dataFrom = layout.data;
    const native = openNative(memory, {
      slots,
      queue: options.queue,
      maxLength: options.maxLength ?? DEFAULT_MAX_LENGTH,
    });
    if (typeof native === 'number') throw new QueueError(this.#failedCall() || 'arguments', native, options.queue);
    this.#native = native;
  }

  /**
   * Binds the queue; packets begin to wait in it.
   * @throws QueueError when the system refuses, with what to do about it
   */
  static open(options: QueueOptions): PacketQueue {
    return new PacketQueue(options);
  }

  /** Starts to hand out batches. What `onBatch` throws ends the process: undecided packets stay undecided. */
  start(onBatch: BatchHandler): void {
    const fd = this.#native.takeWakeFd();
    if (fd < 0) throw new QueueError('start', fd, this.#number);
    this.#onBatch = onBatch;
    // The one place where the process waits: `onread` keeps the stream machinery out of it.
    const options: SocketConstructorOpts & { onread: OnReadOpts } = {
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: Buffer.alloc(64),
        callback: (bytes) => {
          this.#wakeups += bytes;
          this.#drain();
          return true;
        },
      },
    };
    this.#wake = new Socket(options);
  }

  /**
   * Fills the edge's part of `p` with packet `i` of the batch.
   * @returns ifindex of the interface it came in by, 0 when unknown
   */
  load(i: number, p: Packet): number {
    const s = this.#slots;
    const at = i * SLOT.ints;
    const offset = s[at + SLOT.offset]!;
    const info = s[at + SLOT.info]!;
    p.bytes = this.#bytes;
    p.at = offset;
    p.end = offset + s[at + SLOT.length]!;
    p.token = s[at + SLOT.id]!;
    p.gso = (info & INFO.gso) !== 0;
    p.checksumPartial = (info & INFO.csumPartial) !== 0;
    p.checksumVerified = (info & INFO.csumUnverified) === 0;
    p.truncated = (info & INFO.truncated) !== 0;
    p.modified = false;
    // Held packets were released within this batch: what came behind them goes out behind them.
    this.#place =
      this.#released && !this.isFromRouter(i) ? this.#writeLetter(ACTION.hold, p.token, undefined) : NO_PLACE;
    return s[at + SLOT.ingress]!;
  }

  /** True when packet `i` of the batch is one that the router's own kernel sends (hook OUTPUT). */
  isFromRouter(i: number): boolean {
    return this.#slots[i * SLOT.ints + SLOT.hook] === NF_INET_LOCAL_OUT;
  }

  /**
   * Decides packet `i` of the batch: PASS (with its bytes if `p.modified`), HOLD until `release(p.token, …)`, or drop.
   * @param p the packet as `load` filled it and the core left it: still at `p.at`, or, where its fragments were put
   *   together, in the core's own memory; then it is copied into the slot
   */
  verdict(i: number, v: Verdict, p: Packet): void {
    const s = this.#slots;
    const at = i * SLOT.ints;
    if (v === PASS && this.#place !== NO_PLACE) {
      this.#passInPlace(at, p);
    } else if (v === PASS) {
      if (!p.modified) {
        s[at + SLOT.verdict] = ACTION.accept;
        return;
      }
      if (p.bytes !== this.#bytes) this.#copyToSlot(s[at + SLOT.offset]!, p);
      s[at + SLOT.verdict] = ACTION.acceptChanged;
      s[at + SLOT.newLength] = p.end - p.at;
      if (p.checksumPartial && !p.gso) requestChecksum(p.bytes, p.at, s, at + SLOT.csumStart);
    } else if (v === HOLD) {
      s[at + SLOT.verdict] = ACTION.hold;
      this.#held.set(p.token, s[at + SLOT.info]!);
    }
  }

  /** Packet `p` of the batch goes on with its letter, behind those that were released before it came. */
  #passInPlace(at: number, p: Packet): void {
    const s = this.#slots;
    const l = this.#letters;
    const letter = this.#place;
    s[at + SLOT.verdict] = ACTION.hold;
    l[letter + LETTER.verdict] = p.modified ? ACTION.acceptChanged : ACTION.accept;
    if (!p.modified) return;
    const offset = s[at + SLOT.offset]!;
    const length = p.end - p.at;
    // Without bytes C drops it and counts a bad verdict, as it does with such a slot.
    if ((s[at + SLOT.info]! & INFO.truncated) !== 0 || length > this.#roomAt(offset)) return;
    if (p.bytes !== this.#bytes) this.#copyToSlot(offset, p);
    l[letter + LETTER.offset] = offset;
    l[letter + LETTER.length] = length;
    if (p.checksumPartial && !p.gso) requestChecksum(p.bytes, p.at, l, letter + LETTER.csumStart);
  }

  /** Bytes that fit into the slot whose packet lies at `offset`. */
  #roomAt(offset: number): number {
    return STRIDE - ((offset - this.#dataFrom) % STRIDE) - PADDING;
  }

  /** What is too long for the slot is left out: C bounds the length too, drops it and counts a bad verdict. */
  #copyToSlot(offset: number, p: Packet): void {
    if (p.end - p.at <= this.#roomAt(offset)) copyBytes(p.bytes, p.at, this.#bytes, offset, p.end - p.at);
  }

  /**
   * The late verdict of a held packet, in any order. Goes out with the batch in hand, or at `flush`.
   * @param bytes the whole packet if it must go out changed; copied
   * @param checksumPartial as in `Packet`; super-packets keep their partial checksum, as the kernel wants them
   */
  release(token: number, v: Verdict, bytes: Uint8Array | undefined, checksumPartial: boolean): void {
    const info = this.#held.get(token);
    if (info === undefined) {
      this.#unknownReleases++;
      return;
    }
    this.#held.delete(token);
    this.#released ||= this.#inBatch && v === PASS;
    if (v !== PASS) {
      this.#writeLetter(ACTION.drop, token, undefined);
    } else if (bytes !== undefined && ((info & INFO.truncated) !== 0 || bytes.length > MAX_PACKET)) {
      // Must not come back as the part of it that we saw: without bytes, C drops it and counts a bad verdict.
      this.#writeLetter(ACTION.acceptChanged, token, undefined);
    } else if (bytes === undefined) {
      this.#writeLetter(ACTION.accept, token, undefined);
    } else {
      const letter = this.#writeLetter(ACTION.acceptChanged, token, bytes);
      if (checksumPartial && (info & INFO.gso) === 0) {
        requestChecksum(bytes, 0, this.#letters, letter + LETTER.csumStart);
      }
    }
  }

  /** Sends a packet of the router's own, a whole IPv4 packet with its checksums; copied. Goes out as `release` does. */
  inject(packet: Uint8Array): void {
    // Too long for a letter: without bytes, C counts an error.
    this.#writeLetter(ACTION.inject, 0, packet.length > MAX_PACKET ? undefined : packet);
  }

  /** Whether there is other work: then packets that have not come yet are not waited for. */
  set hurry(hurry: boolean) {
    this.#head[HEAD.hurry / 4] = hurry ? 1 : 0;
  }

  /** Sends late verdicts and injected packets now, unless a batch is in hand: then they go out with its verdicts. */
  flush(): void {
    if (!this.#inBatch) this.#sendLetters();
  }

  stats(): QueueStats {
    const counters = new BigUint64Array(this.#bytes.buffer, HEAD.counters, COUNTERS.length);
    const kernel = kernelRow(this.#number);
    return {
      ...(Object.fromEntries(COUNTERS.map((name, i) => [name, Number(counters[i])])) as Record<
        (typeof COUNTERS)[number],
        number
      >),
      wakeups: this.#wakeups,
      held: this.#held.size,
      unknownReleases: this.#unknownReleases,
      kernelQueued: kernel[2] ?? 0,
      kernelQueueDropped: kernel[5] ?? 0,
      kernelUserDropped: kernel[6] ?? 0,
    };
  }

  /** Unbinds the queue. The kernel drops what is held or waits; as long as the rule stands, it drops what comes. */
  close(): void {
    if (!this.#open) return;
    this.#sendLetters();
    this.#open = false;
    this.#held.clear();
    this.#native.close();
    this.#wake?.destroy();
  }

  #drain = (): void => {
    const until = performance.now() + TURN_MS;
    do {
      const count = this.#native.exchange();
      this.#letterAt = this.#lettersFrom;
      if (count < 0) throw new QueueError('exchange', count, this.#number);
      if (count === 0) return;
      this.#inBatch = true;
      this.#released = false;
      this.#onBatch!(this, count);
      this.#inBatch = false;
    } while (this.#open && performance.now() < until);
    if (this.#open) setImmediate(this.#drain);
  };

  /** @returns index of the letter's first field in `#letters` */
  #writeLetter(action: number, token: number, bytes: Uint8Array | undefined): number {
    const length = bytes === undefined ? 0 : bytes.length;
    // Rounded up to keep the next one aligned, with room for a netlink message's padding.
    const room = HEADROOM + ((length + 7) & ~3);
    if (this.#head[HEAD.letters / 4] === LETTERS || this.#letterAt + room > this.#lettersEnd) this.#sendLetters();
    const at = this.#head[HEAD.letters / 4]! * LETTER.ints;
    const offset = this.#letterAt + HEADROOM;
    const l = this.#letters;
    l[at + LETTER.id] = token;
    l[at + LETTER.verdict] = action;
    l[at + LETTER.offset] = offset;
    l[at + LETTER.length] = length;
    l[at + LETTER.csumStart] = 0;
    l[at + LETTER.csumOffset] = 0;
    if (bytes !== undefined) {
      this.#bytes.set(bytes, offset);
      this.#letterAt += room;
    }
    this.#head[HEAD.letters / 4]!++;
    return at;
  }

  #sendLetters(): void {
    if (this.#open && this.#head[HEAD.letters / 4] !== 0) this.#native.flush();
    this.#letterAt = this.#lettersFrom;
    this.#place = NO_PLACE;
    this.#released = false;
  }

  #failedCall(): string {
    const text = Buffer.from(this.#bytes.buffer, HEAD.call, HEAD.callBytes).toString('latin1');
    return text.slice(0, text.indexOf('\0'));
  }
}

/** The packet in hand has no letter. */
const NO_PLACE = -1;

/** Of linux/netfilter.h. */
const NF_INET_LOCAL_OUT = 3;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;

/** Asks C to complete the transport checksum of the IPv4 packet at `at`: writes csumStart and csumOffset. */
function requestChecksum(b: Uint8Array, at: number, fields: Int32Array, to: number): void {
  const protocol = u8(b, at + 9);
  fields[to] = (u8(b, at) & 0xf) * 4;
  // No other protocol has a partial checksum that we could complete: C refuses the offset and drops the packet.
  fields[to + 1] = protocol === IPPROTO_TCP ? 16 : protocol === IPPROTO_UDP ? 6 : -1;
}

/** The queue's row of /proc/net/netfilter/nfnetlink_queue as numbers; empty when it has none. */
function kernelRow(queue: number): number[] {
  const rows = procText('/proc/net/netfilter/nfnetlink_queue').split('\n');
  return rows.map((row) => row.trim().split(/\s+/).map(Number)).find((fields) => fields[0] === queue) ?? [];
}
