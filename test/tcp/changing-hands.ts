/**
 * One stream in the hands of two objects: whenever it is at rest it is saved, and the other object goes on with it, which
 * has just had a stranger's stream. What is not saved, or not loaded, then shows in the laws.
 */
import { FlatMemory } from '../../src/core/memory/flat-memory.js';
import type { StreamInspector } from '../../src/core/inspect/inspector.js';
import type { ReassemblyMemory } from '../../src/core/stream/reassembly-memory.js';
import {
  newStream,
  RING_WORDS,
  type SegmentOutlet,
  STREAM_WORDS,
  TcpStream,
} from '../../src/core/stream/reassembler.js';
import type { Verdict } from '../../src/core/verdict.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { ACK, FIN } from '../../src/core/wire/tcp.js';
import { bytesOf, packetOf } from './segment.js';
import { ToyInspector } from './toy-inspector.js';

const AT = 3;
const WORDS = STREAM_WORDS + RING_WORDS;

export class ChangingHands {
  /** How often it was handed on. */
  times = 0;
  #inHand: TcpStream;
  #next: TcpStream;
  readonly #record = new FlatMemory(2 * (AT + WORDS));
  readonly #strangers = new FlatMemory(2 * WORDS);

  constructor(
    readonly inspector: StreamInspector,
    memory: ReassemblyMemory,
    outlet: SegmentOutlet,
    monitorOnly = false,
  ) {
    this.#inHand = new TcpStream(inspector, memory, outlet, monitorOnly);
    this.#next = new TcpStream(inspector, memory, outlet, monitorOnly);
    newStream(this.#record, AT);
    this.#inHand.load(this.#record, AT, AT + STREAM_WORDS, inspector);
    this.#haveStranger(this.#next);
  }

  get resetRequested(): boolean {
    return this.#inHand.resetRequested;
  }

  open(fromInitiator: boolean, firstSeq: number): void {
    this.#inHand.open(fromInitiator, firstSeq);
  }

  admit(p: Packet, fromInitiator: boolean, now: number): Verdict {
    this.#handOn();
    return this.#inHand.admit(p, fromInitiator, now);
  }

  acknowledge(fromInitiator: boolean, ack: number): void {
    this.#handOn();
    this.#inHand.acknowledge(fromInitiator, ack);
  }

  close(): void {
    this.#handOn();
    this.#inHand.close();
  }

  #handOn(): void {
    if (!this.#inHand.atRest || this.#inHand.resetRequested) return;
    const before = this.#inHand;
    before.save(this.#record, AT);
    this.#haveStranger(before);
    this.#inHand = this.#next;
    this.#inHand.load(this.#record, AT, AT + STREAM_WORDS, this.inspector);
    this.#next = before;
    this.times++;
  }

  /** A stream that is opened and used, and closed: its object may be in any state. */
  #haveStranger(stream: TcpStream): void {
    newStream(this.#strangers, 0);
    stream.load(this.#strangers, 0, STREAM_WORDS, new ToyInspector());
    const flags = ACK | (this.times % 3 === 0 ? FIN : 0);
    for (const up of [true, false]) {
      stream.open(up, 77);
      const data = bytesOf('a stranger speaks '.repeat(1 + ((this.times + +up) % 5)));
      stream.admit(packetOf({ fromInitiator: up, seq: 77, data, flags }), up, 0);
    }
    stream.close();
  }
}
