/**
 * `ip inspect name NAME ftp`: follows the control connection (RFC 959, RFC 2428), checks where data connections are to
 * go as IOS does, has the table expect them, and puts translated addresses into PORT, EPRT and 227.
 *
 * IOS's checks: no data connection before the login is complete, none to a port under 1024, none to an address that is
 * not the client's (PORT) or the server's (227). Inferred: a violation resets the connection; a dropped segment would
 * only come again.
 */
import { StreamAction, type StreamInspector } from '../inspector.js';
import { formatEprt, formatSixNumbers, parseEprt, parsePassivePort, parseSixNumbers } from './endpoint-text.js';
import type { EndpointText } from './endpoint-text.js';
import { endsInside, Line } from './line.js';

/** What IOS alerts about. `command`: as in its message, e.g. `PORT command`. */
export type FtpFinding =
  | { kind: 'not-authenticated' }
  | { kind: 'privileged-port'; port: number; command: string }
  | { kind: 'non-matching-address'; address: number; command: string };

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
  /** A connection to this port of the client (from the server) or of the server (from the client) is to be let in. */
  expect(toClient: boolean, port: number): void;
  /** Replaces `length` bytes at a position of the stream. False where there have been too many. */
  replace(fromInitiator: boolean, position: number, length: number, text: string): boolean;
  report(finding: FtpFinding): void;
  /** `debug ip inspect ftp` is on: read before anything is built. */
  readonly debug: boolean;
  /** A line of the dialogue, as sent, line end included. */
  traceLine(fromClient: boolean, line: string): void;
  /** A data connection to this port of client or server is announced; `seen`: what the other side reads. */
  traceEndpoint(command: string, toClient: boolean, port: number, seen: Announcement): void;
}

/** A command that names an endpoint, unfinished, of which some of the endpoint has come already. */
const UNFINISHED_COMMAND = /^(port|eprt) +[^ ]/i;
const UNFINISHED_REPLY = /^227 /;

export class FtpInspector implements StreamInspector {
  /** Lengths change behind us, in `host`: the bytes themselves never do. */
  readonly modified = false;
  readonly #commands = new Line();
  readonly #replies = new Line();
  #authenticated = false;
  /** The passive command whose reply has not come. */
  #passive: '' | 'PASV' | 'EPSV' = '';
  /** Code of the reply of several lines that is not at its end, else ''. */
  #multiline = '';
  /** TLS has begun (RFC 4217): nothing more to read. */
  #encrypted = false;

  constructor(private readonly host: FtpHost) {}

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    if (this.#encrypted) return StreamAction.opaque;
    const line = this.#commands;
    // Its beginning must not go out before we know what is to stand there.
    if (this.host.clientTranslated && endsInside(line, b, at, end, UNFINISHED_COMMAND)) return StreamAction.refuse;
    for (let i = line.take(b, at, end); i >= 0; i = line.take(b, i, end)) {
      if (this.host.debug) this.host.traceLine(true, `${line.text}\n`);
      const ok = line.cut || this.#command(line.text.replace(/\r$/, ''), line.start);
      line.clear();
      if (!ok) return StreamAction.reset;
    }
    return StreamAction.pass;
  }

  fromResponder(b: Uint8Array, at: number, end: number): StreamAction {
    if (this.#encrypted) return StreamAction.opaque;
    const line = this.#replies;
    if (this.host.serverTranslated && endsInside(line, b, at, end, UNFINISHED_REPLY)) return StreamAction.refuse;
    for (let i = line.take(b, at, end); i >= 0; i = line.take(b, i, end)) {
      if (this.host.debug) this.host.traceLine(false, `${line.text}\n`);
      const ok = line.cut || this.#reply(line.text.replace(/\r$/, ''), line.start);
      line.clear();
      if (!ok) return StreamAction.reset;
    }
    return this.#passed();
  }

  /** The replies just read may have begun TLS. */
  #passed(): StreamAction {
    return this.#encrypted ? StreamAction.opaque : StreamAction.pass;
  }

  /** @returns false when the connection must end */
  #command(text: string, position: number): boolean {
    const verb = text.slice(0, 4).toUpperCase();
    const argument = 4 + /^ */.exec(text.slice(4))![0].length;
    switch (verb) {
      case 'PORT':
        return this.#active(parseSixNumbers(text, argument), formatSixNumbers, 'PORT command', position);
      case 'EPRT':
        return this.#active(parseEprt(text, argument), formatEprt, 'EPRT command', position);
      case 'PASV':
      case 'EPSV':
        if (!this.#isAuthenticated()) return false;
        this.#passive = verb;
        return true;
      default:
        return true;
    }
  }

  #active(
    e: EndpointText | undefined,
    format: (address: number, port: number) => string,
    command: string,
    position: number,
  ): boolean {
    if (!this.#isAuthenticated()) return false;
    if (e === undefined) return true; // the server will not understand it either
    if (!this.#checkEndpoint(e, this.host.isClient(e.address), command)) return false;
    const now = this.host.announceClient(e.port);
    if (now === undefined) return false;
    if (this.host.debug) this.host.traceEndpoint(command, true, e.port, now);
    this.host.expect(true, e.port);
    if (now.address === e.address && now.port === e.port) return true;
    return this.host.replace(true, position + e.start, e.end - e.start, format(now.address, now.port));
  }

  #reply(text: string, position: number): boolean {
    const code = text.slice(0, 3);
    if (this.#multiline !== '') {
      if (code !== this.#multiline || text[3] === '-') return true;
      this.#multiline = '';
    } else if (!/^\d{3}/.test(code)) return true;
    else if (text[3] === '-') {
      this.#multiline = code;
      return true;
    }
    const asked = this.#passive;
    if (code === '230') this.#authenticated = true;
    else if (code === '220')
      this.#authenticated = false; // the greeting, or REIN
    else if (code === '234') this.#encrypted = true;
    else if (/^[45]/.test(code)) this.#passive = '';
    else if ((code === '227' && asked === 'PASV') || (code === '229' && asked === 'EPSV')) {
      this.#passive = '';
      return this.#passiveReply(text, code === '227', position);
    }
    return true;
  }

  #passiveReply(text: string, withAddress: boolean, position: number): boolean {
    const e = withAddress ? parseSixNumbers(text, 3) : parsePassivePort(text);
    if (e === undefined) return true;
    const command = withAddress ? 'PASV reply' : 'EPSV reply';
    if (!this.#checkEndpoint(e, !withAddress || this.host.isServer(e.address), command)) return false;
    const now = this.host.announceServer(e.port);
    if (now === undefined) return false;
    if (this.host.debug) this.host.traceEndpoint(command, false, e.port, now);
    this.host.expect(false, e.port);
    if (now.port === e.port && (!withAddress || now.address === e.address)) return true;
    const announced = withAddress ? formatSixNumbers(now.address, now.port) : String(now.port);
    return this.host.replace(false, position + e.start, e.end - e.start, announced);
  }

  #isAuthenticated(): boolean {
    if (!this.#authenticated) this.host.report({ kind: 'not-authenticated' });
    return this.#authenticated;
  }

  #checkEndpoint(e: EndpointText, ownAddress: boolean, command: string): boolean {
    if (!ownAddress) this.host.report({ kind: 'non-matching-address', address: e.address, command });
    else if (e.port < 1024) this.host.report({ kind: 'privileged-port', port: e.port, command });
    else return true;
    return false;
  }
}
