/**
 * The telnet protocol around a TCP connection (RFC 854, 857, 858, 1073): a stream of the user's bytes, with the
 * server echoing and no go-aheads. All other options are refused.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { DO, DONT, ECHO, IAC, SB, SE, SUPPRESS_GO_AHEAD, WILL, WONT } from './telnet-bytes.js';

const NAWS = 31; // Negotiate About Window Size

const CR = 0x0d;
const LF = 0x0a;
const NUL = 0;

const MAX_UNREAD = 1 << 16; // bytes
const MAX_SUBNEGOTIATION = 64; // bytes kept; more is thrown away

export class TelnetStream extends Duplex {
  #state: 'data' | 'iac' | 'option' | 'sub' | 'sub-iac' = 'data';
  #afterCr = false;
  #verb = 0;
  #sub: number[] = [];

  /** @param resized called with rows and columns whenever the client tells them */
  constructor(
    private readonly socket: Socket,
    private readonly resized: (rows: number, columns: number) => void,
  ) {
    super({ allowHalfOpen: false });
    socket.on('data', (bytes: Buffer) => {
      const text = this.#receive(bytes);
      if (text.length > 0 && !this.push(text)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('close', () => this.destroy());
    socket.on('error', () => this.destroy());
    socket.write(Buffer.from([IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, DO, NAWS]));
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // A byte 255 in the text is sent twice (RFC 854).
    const doubled = chunk.includes(IAC) ? Buffer.from([...chunk].flatMap((b) => (b === IAC ? [b, b] : [b]))) : chunk;
    this.socket.write(doubled, done);
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }

  /** Takes the protocol out of what came in. */
  #receive(bytes: Buffer): Buffer {
    const text: number[] = [];
    for (const b of bytes) {
      switch (this.#state) {
        case 'data':
          if (b === IAC) this.#state = 'iac';
          // CR LF and CR NUL are one Enter.
          else if (!this.#afterCr || (b !== LF && b !== NUL)) text.push(b);
          this.#afterCr = b === CR;
          break;
        case 'iac':
          if (b === IAC) text.push(b);
          this.#verb = b;
          this.#sub = [];
          this.#state = b === SB ? 'sub' : b >= WILL && b < IAC ? 'option' : 'data';
          break;
        case 'option':
          this.#negotiate(this.#verb, b);
          this.#state = 'data';
          break;
        case 'sub':
          if (b === IAC) this.#state = 'sub-iac';
          else if (this.#sub.length < MAX_SUBNEGOTIATION) this.#sub.push(b);
          break;
        case 'sub-iac':
          if (b === IAC) this.#sub.push(b);
          if (b === SE) this.#subnegotiated();
          this.#state = b === SE ? 'data' : 'sub';
      }
    }
    return Buffer.from(text);
  }

  /** Refuses what we did not offer. What we offered needs no answer. */
  #negotiate(verb: number, option: number): void {
    // Who asks without reading gets no answer.
    if (this.socket.writableLength > MAX_UNREAD) return;
    if (verb === WILL && option !== NAWS) this.socket.write(Buffer.from([IAC, DONT, option]));
    if (verb === DO && option !== ECHO && option !== SUPPRESS_GO_AHEAD)
      this.socket.write(Buffer.from([IAC, WONT, option]));
  }

  #subnegotiated(): void {
    const [option, c1 = 0, c0 = 0, r1 = 0, r0 = 0] = this.#sub;
    if (option === NAWS && this.#sub.length === 5) this.resized((r1 << 8) | r0, (c1 << 8) | c0);
  }
}
