/**
 * `ip inspect name NAME http [java-list ACL]`: follows the request lines for the audit trail, and blocks Java applets
 * as IOS does: class files outside archives, by their first four bytes. Servers that the list permits are friendly;
 * without a list none is (reference §4.9). A blocked applet costs the connection.
 *
 * Bodies are not framed: a class file is looked for behind every empty line, with or without a chunk size, so that no
 * length field of a server can hide it. Nor is a request seen that follows the body of another without a line end.
 */
import type { StateIo } from '../memory/state-io.js';
import { StreamAction, type SavedInspector } from './inspector.js';

export interface HttpHost {
  /** Java applets may come from this server. */
  readonly friendly: boolean;
  /** A request line, as sent, without line end, cut to 256 bytes. */
  request(line: string): void;
  javaBlocked(): void;
}

const LF = 10;
const CR = 13;
const MOST_LINE = 256; // bytes
const REQUEST_LINE = /^[A-Z]+ \S+( HTTP\/1\.[01])?$/;
const CLASS_FILE = [0xca, 0xfe, 0xba, 0xbe] as const;

/** Where the server's stream is. */
const AT = {
  /** In a line that tells us nothing. */
  line: 0,
  /** Behind a line end. */
  lineEnd: 1,
  /** Behind an empty line: a body may begin. */
  body: 2,
  /** In a line of hexadecimal digits there: a chunk may begin behind it. */
  chunkSize: 3,
  /** Where only a class file is of interest; and so far it is one. */
  chunk: 4,
} as const;

export class HttpInspector implements SavedInspector {
  readonly modified = false;
  /** The line of the client, while it may be a request line. */
  readonly #line = Buffer.alloc(MOST_LINE);
  #length = 0;
  #candidate = true;
  #emptyLine = true;

  /** A server may begin with the body itself (HTTP/0.9). */
  #at: number = AT.body;
  /** Bytes of CLASS_FILE that have come. */
  #matched = 0;

  constructor(private readonly host: HttpHost) {}

  sync(io: StateIo): void {
    this.#length = io.below(this.#length, MOST_LINE + 1);
    io.bytes(this.#line, this.#length);
    this.#candidate = io.flag(this.#candidate);
    this.#emptyLine = io.flag(this.#emptyLine);
    this.#at = io.below(this.#at, AT.chunk + 1);
    this.#matched = io.below(this.#matched, CLASS_FILE.length);
  }

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    for (let i = at; i < end; i++) {
      const c = b[i]!;
      if (c === LF) {
        this.#endLine();
      } else if (c !== CR) {
        this.#emptyLine = false;
        if (this.#candidate && this.#length < MOST_LINE) this.#line[this.#length++] = c;
      }
    }
    return StreamAction.pass;
  }

  fromResponder(b: Uint8Array, at: number, end: number): StreamAction {
    if (this.host.friendly) return StreamAction.opaque;
    for (let i = at; i < end; i++) {
      if (this.#at === AT.line) {
        while (i < end && b[i] !== LF) i++;
        if (i === end) break;
      }
      if (this.#step(b[i]!)) {
        this.host.javaBlocked();
        return StreamAction.reset;
      }
    }
    return StreamAction.pass;
  }

  /** A request line stands at the beginning, or behind an empty line: the end of another request. */
  #endLine(): void {
    if (this.#candidate && this.#length > 0) {
      const line = this.#line.toString('latin1', 0, this.#length);
      if (REQUEST_LINE.test(line)) this.host.request(line);
      this.#candidate = false;
    } else if (this.#emptyLine) this.#candidate = true;
    this.#emptyLine = true;
    this.#length = 0;
  }

  /** @returns true when a class file has begun */
  #step(c: number): boolean {
    const at = this.#at;
    if ((at === AT.body || at === AT.chunk) && c === CLASS_FILE[this.#matched]) {
      this.#matched++;
      return this.#matched === CLASS_FILE.length;
    }
    this.#at = next(this.#matched > 0 ? AT.line : at, c);
    this.#matched = 0;
    return false;
  }
}

function next(at: number, c: number): number {
  switch (at) {
    case AT.line:
      return c === LF ? AT.lineEnd : AT.line;
    case AT.body:
      return c === LF || c === CR ? AT.body : isHexDigit(c) ? AT.chunkSize : AT.line;
    case AT.chunkSize:
      return c === LF ? AT.chunk : AT.chunkSize;
    default: // behind a line end
      return c === LF ? AT.body : c === CR ? AT.lineEnd : AT.line;
  }
}

const isHexDigit = (c: number): boolean =>
  (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
