/**
 * One end of a connection between control plane and data plane: a UNIX socket that carries values as `structuredClone`
 * would. Nobody waits for the other end: what it does not read stays in memory, and who sends asks `hasRoom`. Nor does
 * other work wait for messages: between some of them it has its turn, and meanwhile no more are read.
 */
import type { Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import { frame, FrameReader, NotAMessage } from './frames.js';

/** What messages may take of the time between two looks at other work, ms. One message is dealt with at least. */
const TURN_MS = 0.5;
/** Bytes that may wait to be read by the other end. More is for messages that have a bound of their own. */
const ROOM = 1 << 20;

export class MessageLink<In extends { type: string }, Out> {
  readonly #reader = new FrameReader();
  /** Messages that have come and were not dealt with, the first one first. */
  #waiting: Buffer[] = [];
  #whenEmpty: (() => void) | undefined;

  /**
   * @param receive called with each message
   * @param closed  called once the connection is closed, by whatever end, or since no messages came by it
   */
  constructor(
    private readonly socket: Socket,
    private readonly receive: (message: In) => void,
    closed: () => void,
  ) {
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => socket.destroy()); // the other end has gone
    socket.on('close', closed);
  }

  send(message: Out): void {
    this.sendBytes(encode(message));
  }

  /** @param bytes from `encode` */
  sendBytes(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes, this.#written);
  }

  /** Most of what was sent has been taken. */
  get hasRoom(): boolean {
    return this.socket.writableLength < ROOM;
  }

  /** Has `then` called once all that was sent has been taken, or the connection is closed. One call waits at a time. */
  whenEmpty(then: () => void): void {
    if (this.socket.writableLength === 0) setImmediate(then);
    else this.#whenEmpty = then;
  }

  /** Closes when what was sent has been taken. @param then called when it is closed */
  end(then: () => void): void {
    this.socket.once('close', then);
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
  }

  readonly #written = (): void => {
    if (this.#whenEmpty === undefined || (this.socket.writableLength > 0 && this.socket.writable)) return;
    setImmediate(this.#whenEmpty);
    this.#whenEmpty = undefined;
  };

  #take(chunk: Buffer): void {
    const idle = this.#waiting.length === 0;
    try {
      this.#reader.take(chunk, (body) => this.#waiting.push(body));
    } catch (error) {
      this.#refuse(error);
    }
    if (idle) this.#deal();
  }

  readonly #deal = (): void => {
    const until = performance.now() + TURN_MS;
    let dealt = 0;
    try {
      while (dealt < this.#waiting.length && !this.socket.destroyed && (dealt === 0 || performance.now() < until))
        this.receive(decode(this.#waiting[dealt++]!) as In);
    } catch (error) {
      this.#refuse(error);
    }
    this.#waiting = this.socket.destroyed ? [] : this.#waiting.slice(dealt);
    if (this.#waiting.length === 0) this.socket.resume();
    else {
      this.socket.pause();
      setImmediate(this.#deal);
    }
  };

  /** @throws what is a fault of ours */
  #refuse(error: unknown): void {
    if (!(error instanceof NotAMessage)) throw error;
    this.socket.destroy();
  }
}

/** A message as bytes. */
export const encode = (message: unknown): Buffer => frame(serialize(message));

/** @throws NotAMessage */
function decode(body: Buffer): { type: string } {
  let value: unknown;
  try {
    value = deserialize(body);
  } catch {
    throw new NotAMessage('bytes of another kind');
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    throw new NotAMessage('a value without a type');
  return value as { type: string };
}
