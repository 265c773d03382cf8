/**
 * `ip inspect name NAME ftp`: follows the control connection (RFC 959, RFC 2428), checks where data connections are to
 * go as IOS does, has the table expect them, and puts translated addresses into PORT, EPRT and 227.
 *
 * IOS's checks: no data connection before the login is complete, none to a port under 1024, none to an address that is
 * not the client's (PORT) or the server's (227). Inferred: a violation resets the connection; a dropped segment would
 * only come again. The same for a 227 or 229 of a server whose address is translated, where it answers no command that
 * awaits it or its endpoint cannot be read: no client may find the inside address there.
 */
import type { StateIo } from '../../memory/state-io.js';
import { StreamAction, type SavedInspector } from '../inspector.js';
import { AwaitedReplies, type Marked, MOST_MARKED } from './awaited-replies.js';
import {
  type EndpointText,
  formatEprt,
  formatSixNumbers,
  mayNameAddress,
  parseEprt,
  parsePassivePort,
  parseSixNumbers,
} from './endpoint-text.js';
import { beginnings, Line, MOST_BYTES, unfinishedLine } from './line.js';

/** A line that names an endpoint: PORT and EPRT are commands, PASV and EPSV have it in the reply. */
export type EndpointCommand = 'PORT' | 'EPRT' | 'PASV' | 'EPSV';

/** What IOS alerts about. */
export type FtpFinding =
  | { kind: 'not-authenticated' }
  | { kind: 'privileged-port'; port: number; command: EndpointCommand }
  | { kind: 'non-matching-address'; address: number; command: EndpointCommand }
  /** A 227 or 229 that answers nothing, or does not say clearly where to connect. `reply`: the line of it. */
  | { kind: 'unreadable-reply'; reply: string };

/** An address and port as the other side must know them. */
export interface Announcement {
  address: number;
  port: number;
}

export interface FtpHost {
  /** Addresses that each party may call its own: inside local, and inside global. int32. */
  isClient(address: number): boolean;
  isServer(address: number): boolean;
  /**
   * What the other side must read instead of what the party, which may be translated, has written. Undefined: NAT has
   * no port left.
   */
  announceClient(port: number): Announcement | undefined;
  announceServer(port: number): Announcement | undefined;
  /** The party's address is not the one the other side knows: its texts get other lengths. */
  readonly clientTranslated: boolean;
  readonly serverTranslated: boolean;
  /**
   * A connection to this port of the client (from the server) or of the server (from the client) is to be let in.
   * @param besides those announced before may still come; else this one takes their place
   */
  expect(toClient: boolean, port: number, besides: boolean): void;
  /** Replaces `length` bytes at a position of the stream. False where there have been too many. */
  replace(fromInitiator: boolean, position: number, length: number, text: string): boolean;
  report(finding: FtpFinding): void;
  /** `debug ip inspect ftp` is on: read before anything is built. */
  readonly debug: boolean;
  /** A line of the dialogue, as sent, line end included. */
  traceLine(fromClient: boolean, line: string): void;
  /** A data connection to this port of client or server is announced; `seen`: what the other side reads. */
  traceEndpoint(command: EndpointCommand, toClient: boolean, port: number, seen: Announcement): void;
}

/** A command that names an endpoint, unfinished, of which some of the endpoint has come already. */
const UNFINISHED_COMMAND = /^(port|eprt) +[^ ]/i;
const PASSIVE_REPLY = /^22[79]/;
const PASSIVE_REPLY_BEGINS = /^22[79]-/;
const MARKED_COMMAND = /^(pasv|epsv|auth)/i;
/** Commands that use a data connection. */
const TRANSFER = /^(retr|stor|stou|appe|list|nlst|mlsd)/i;
/** The shortest line that MARKED_COMMAND matches, bytes. */
const SHORTEST_MARKED = 5;

const namesEndpoint = (text: string): boolean => mayNameAddress(text) || parsePassivePort(text) !== undefined;

export class FtpInspector implements SavedInspector {
  /** Lengths change behind us, in `host`: the bytes themselves never do. */
  readonly modified = false;
  readonly #commands = new Line();
  readonly #replies = new Line();
  #authenticated = false;
  readonly #awaited = new AwaitedReplies();
  /** The connection to the endpoint that was announced last may still have to come when another one is announced. */
  #besides = false;
  /** Code of the reply of several lines that is not at its end, else ''. */
  #multiline = '';
  /** The 227 or 229 in hand answers a command; where it says to connect; what the client is to read there. */
  #answers = false;
  #endpoint: EndpointText | undefined = undefined;
  #announced: Announcement | undefined = undefined;
  /** TLS has begun (RFC 4217): nothing more to read. */
  #encrypted = false;

  constructor(private readonly host: FtpHost) {}

  /** Between two calls no reply is in hand but by its lines: what `passive` has found goes with it. */
  sync(io: StateIo): void {
    this.#commands.sync(io);
    this.#replies.sync(io);
    this.#authenticated = io.flag(this.#authenticated);
    this.#awaited.sync(io);
    this.#besides = io.flag(this.#besides);
    this.#multiline = io.text(this.#multiline, 3);
    this.#answers = io.flag(this.#answers);
    this.#encrypted = io.flag(this.#encrypted);
    const known = io.flag(this.#endpoint !== undefined);
    const e = this.#endpoint ?? { address: 0, port: 0, start: 0, end: 0 };
    const address = io.int(e.address);
    const port = io.below(e.port, 0x10000);
    this.#endpoint = known ? { ...e, address, port } : undefined;
    const announced = io.flag(this.#announced !== undefined);
    const now = { address: io.int(this.#announced?.address ?? 0), port: io.int(this.#announced?.port ?? 0) };
    this.#announced = announced ? now : undefined;
  }

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    if (this.#encrypted) return StreamAction.opaque;
    const line = this.#commands;
    // Its beginning must not go out before we know what is to stand there.
    if (this.host.clientTranslated && UNFINISHED_COMMAND.test(unfinishedLine(line, b, at, end)))
      return StreamAction.refuse;
    // TCP lets the client wait until there is room for more.
    if (!this.#hasRoom(b, at, end)) return this.#awaited.marked === 0 ? StreamAction.reset : StreamAction.refuse;
    for (let i = line.take(b, at, end); i >= 0; i = line.take(b, i, end)) {
      if (this.host.debug) this.host.traceLine(true, `${line.text}\n`);
      const ok = this.#command(line.text.replace(/\r$/, ''), line.start, line.cut);
      line.clear();
      if (!ok) return StreamAction.reset;
    }
    return StreamAction.pass;
  }

  fromResponder(b: Uint8Array, at: number, end: number): StreamAction {
    if (this.#encrypted) return StreamAction.opaque;
    const line = this.#replies;
    if (this.host.serverTranslated) {
      const unfinished = unfinishedLine(line, b, at, end);
      if (unfinished !== '' && this.#inPassiveReply(b, at, end, unfinished)) {
        if (unfinished.length < MOST_BYTES) return StreamAction.refuse;
        this.#unreadable(unfinished);
        return StreamAction.reset;
      }
    }
    for (let i = line.take(b, at, end); i >= 0; i = line.take(b, i, end)) {
      if (this.host.debug) this.host.traceLine(false, `${line.text}\n`);
      const ok = this.#reply(line.text.replace(/\r$/, ''), line.start, line.cut);
      line.clear();
      if (!ok) return StreamAction.reset;
    }
    return this.#passed();
  }

  /** All marked commands in b[at..end) can be remembered until their replies come. */
  #hasRoom(b: Uint8Array, at: number, end: number): boolean {
    const room = MOST_MARKED - this.#awaited.marked;
    return (end - at) / SHORTEST_MARKED < room || beginnings(this.#commands, b, at, end, MARKED_COMMAND) <= room;
  }

  /** The line that b[at..end) leaves unfinished is of a 227 or 229. */
  #inPassiveReply(b: Uint8Array, at: number, end: number, unfinished: string): boolean {
    if (PASSIVE_REPLY.test(unfinished) || PASSIVE_REPLY.test(this.#multiline)) return true;
    return beginnings(this.#replies, b, at, end, PASSIVE_REPLY_BEGINS) > 0;
  }

  /** The replies just read may have begun TLS. */
  #passed(): StreamAction {
    return this.#encrypted ? StreamAction.opaque : StreamAction.pass;
  }

  /** @param cut the line is longer than `text` @returns false when the connection must end */
  #command(text: string, position: number, cut: boolean): boolean {
    const verb = text.slice(0, 4).toUpperCase();
    const argument = 4 + /^ */.exec(text.slice(4))![0].length;
    this.#awaited.sent(this.#markOf(verb, text.slice(argument)));
    if (cut) return true; // a server takes no such line for a PORT
    switch (verb) {
      case 'PORT':
        return this.#active(parseSixNumbers(text, argument), formatSixNumbers, 'PORT', position);
      case 'EPRT':
        return this.#active(parseEprt(text, argument), formatEprt, 'EPRT', position);
      case 'PASV':
      case 'EPSV':
        return this.#isAuthenticated();
      default:
        if (TRANSFER.test(verb)) this.#besides = true;
        return true;
    }
  }

  /** `EPSV ALL` asks for nothing (RFC 2428 §4). */
  #markOf(verb: string, argument: string): Marked | undefined {
    if (verb === 'EPSV') return /^all\s*$/i.test(argument) ? undefined : 'EPSV';
    return verb === 'PASV' || verb === 'AUTH' ? verb : undefined;
  }

  #active(
    e: EndpointText | undefined,
    format: (address: number, port: number) => string,
    command: EndpointCommand,
    position: number,
  ): boolean {
    if (!this.#isAuthenticated()) return false;
    if (e === undefined) return true; // the server will not understand it either
    if (!this.#checkEndpoint(e, this.host.isClient(e.address), command)) return false;
    const now = this.host.announceClient(e.port);
    if (now === undefined) return false;
    if (this.host.debug) this.host.traceEndpoint(command, true, e.port, now);
    this.host.expect(true, e.port, this.#besides);
    this.#besides = false;
    if (now.address === e.address && now.port === e.port) return true;
    return this.host.replace(true, position + e.start, e.end - e.start, format(now.address, now.port));
  }

  #reply(text: string, position: number, cut: boolean): boolean {
    const begins = this.#multiline === '';
    const code = text.slice(0, 3);
    if (begins && !/^\d{3}/.test(code)) return true;
    const reply = begins ? code : this.#multiline;
    const last = code === reply && text[3] !== '-';
    this.#multiline = last ? '' : reply;
    if (PASSIVE_REPLY.test(reply)) {
      if (begins) this.#beginPassive(reply);
      return cut || !this.#answers ? this.#unreadable(text) : this.#passiveLine(reply === '227', text, position, last);
    }
    if (last) this.#answered(reply);
    // Some clients take each line that begins with a code for the end of the reply.
    else if (!begins && PASSIVE_REPLY.test(code) && namesEndpoint(text)) return this.#unreadable(text);
    return true;
  }

  #answered(code: string): void {
    const answered = this.#awaited.replied(code);
    if (code === '230') this.#authenticated = true;
    else if (code === '220')
      this.#authenticated = false; // the greeting, or REIN
    else if (answered === 'AUTH') this.#encrypted = true;
  }

  #beginPassive(code: string): void {
    this.#answers = this.#awaited.replied(code) === (code === '227' ? 'PASV' : 'EPSV');
    this.#endpoint = undefined;
  }

  /** A line of a 227 or 229 that answers a command. The endpoint may stand in any line of it, and more than once. */
  #passiveLine(withAddress: boolean, text: string, position: number, last: boolean): boolean {
    const parse = withAddress ? parseSixNumbers : parsePassivePort;
    let from = text.startsWith('22') ? 3 : 0;
    for (let e = parse(text, from); e !== undefined; e = parse(text, from)) {
      const known = this.#endpoint;
      if (known === undefined) {
        if (!this.#passive(e, withAddress)) return false;
      } else if (e.port !== known.port || e.address !== known.address) return this.#unreadable(text);
      if (!this.#replacePassive(e, withAddress, position)) return false;
      from = e.end;
    }
    if (withAddress && mayNameAddress(text.slice(from))) return this.#unreadable(text);
    return !last || this.#endpoint !== undefined || this.#unreadable(text);
  }

  /** A data connection to endpoint `e` of the server is announced. */
  #passive(e: EndpointText, withAddress: boolean): boolean {
    const command = withAddress ? 'PASV' : 'EPSV';
    if (!this.#checkEndpoint(e, !withAddress || this.host.isServer(e.address), command)) return false;
    const now = this.host.announceServer(e.port);
    if (now === undefined) return false;
    this.#endpoint = e;
    this.#announced = now;
    if (this.host.debug) this.host.traceEndpoint(command, false, e.port, now);
    this.host.expect(false, e.port, this.#besides);
    // The client has not chosen yet where it has asked for another one.
    this.#besides = this.#awaited.marked > 0;
    return true;
  }

  #replacePassive(e: EndpointText, withAddress: boolean, position: number): boolean {
    const now = this.#announced!;
    if (now.port === e.port && (!withAddress || now.address === e.address)) return true;
    const announced = withAddress ? formatSixNumbers(now.address, now.port) : String(now.port);
    return this.host.replace(false, position + e.start, e.end - e.start, announced);
  }

  /** @returns false where the server is translated: then nobody may read what we cannot */
  #unreadable(reply: string): boolean {
    if (!this.host.serverTranslated) return true;
    this.host.report({ kind: 'unreadable-reply', reply });
    return false;
  }

  #isAuthenticated(): boolean {
    if (!this.#authenticated) this.host.report({ kind: 'not-authenticated' });
    return this.#authenticated;
  }

  #checkEndpoint(e: EndpointText, ownAddress: boolean, command: EndpointCommand): boolean {
    if (!ownAddress) this.host.report({ kind: 'non-matching-address', address: e.address, command });
    else if (e.port < 1024) this.host.report({ kind: 'privileged-port', port: e.port, command });
    else return true;
    return false;
  }
}
