/**
 * Servers behind the router, slow and obvious. Real ones differ in what ends a line, and with it a mail; each of the
 * habits below exists. A server answers as it reads, and keeps what it executed.
 */
export interface Habits {
  name: string;
  /** What ends a line, tried in this order. */
  lineEnds: readonly string[];
  /** Dropped unread. */
  drops?: string;
  /** CRs at the end of a line are dropped too, however many. */
  dropsTrailingCr?: boolean;
  /** Longer lines are cut there, and each part is a line to it (Exim 4). */
  cutsAt?: number;
  /** Empty lines have no reply. */
  silent?: boolean;
}

export const STRICT: Habits = { name: 'CR LF', lineEnds: ['\r\n'] };
/** Exim 4: SMTP_CMD_BUFFER_SIZE. */
export const EXIM: Habits = { name: 'CR LF or LF, cuts', lineEnds: ['\r\n', '\n'], cutsAt: 16_384 };

export const HABITS: readonly Habits[] = [
  STRICT,
  { name: 'LF', lineEnds: ['\n'], dropsTrailingCr: true },
  { name: 'CR LF or LF', lineEnds: ['\r\n', '\n'] },
  { name: 'CR LF, LF or CR', lineEnds: ['\r\n', '\n', '\r'] },
  { name: 'CR LF or CR', lineEnds: ['\r\n', '\r'] },
  { name: 'CR LF, drops NUL', lineEnds: ['\r\n'], drops: '\0' },
  { name: 'CR LF, LF or CR, drops NUL', lineEnds: ['\r\n', '\n', '\r'], drops: '\0' },
  { name: 'CR LF, silent', lineEnds: ['\r\n'], silent: true },
  EXIM,
];

export interface Features {
  /** Offers CHUNKING and takes BDAT; else its octets are command lines to this server. */
  chunking?: boolean;
  /**
   * Where BDAT has no place, it refuses it and reads its octets as commands: without a recipient, with no octets and not
   * LAST, behind anything but BDAT, NOOP, RSET and QUIT between two chunks (and then until RSET: Exim 4).
   */
  strictChunks?: boolean;
  /** Knows X-EXPS and XEXCH50. */
  exchange?: boolean;
}

export class ModelServer {
  /** Command lines. */
  readonly executed: string[] = [];
  /** Mails taken to be complete. */
  mails = 0;
  /** What counted octets and AUTH responses it took, as they came. */
  opaque = '';
  inData = false;
  /** What stood behind STARTTLS in the clear when TLS began: a server with CVE-2011-0411 executes it. */
  injected = '';
  tls = false;
  #octets = 0;
  /** Its reply once the octets have come. */
  #behindOctets = '';
  #authResponses = 0;
  #line = '';
  #swallowLf = false;
  #recipients = 0;
  #chunks: 'none' | 'begun' | 'only RSET' = 'none';

  constructor(
    private readonly habits: Habits,
    private readonly features: Features = {},
  ) {}

  /** Takes what arrives. @returns the replies */
  receive(part: string): string {
    const { lineEnds, drops, cutsAt } = this.habits;
    let replies = '';
    // What comes later than its 220 is TLS, or fails as such.
    const begunBefore = this.tls;
    for (const c of part) {
      if (this.tls) {
        if (!begunBefore) this.injected += c;
        continue;
      }
      // Who takes a CR alone for the end of a line does so at once, and passes over an LF behind it.
      const swallowed = this.#swallowLf && c === '\n';
      this.#swallowLf = false;
      if (swallowed) continue;
      if (this.#octets > 0) {
        this.opaque += c;
        if (--this.#octets === 0) replies += this.#behindOctets;
        continue;
      }
      if (c === drops) continue;
      this.#line += c;
      const end = lineEnds.find((e) => this.#line.endsWith(e));
      if (end === undefined && this.#line.length !== cutsAt) continue;
      const line = this.#line.slice(0, this.#line.length - (end?.length ?? 0));
      this.#line = '';
      this.#swallowLf = end === '\r';
      replies += this.#take(this.habits.dropsTrailingCr === true ? line.replace(/\r+$/, '') : line);
    }
    return replies;
  }

  #take(line: string): string {
    if (this.#authResponses > 0) return this.#response(line);
    if (!this.inData) {
      if (line === '' && this.habits.silent === true) return '';
      this.executed.push(line);
      return this.#execute(/^[A-Za-z0-9-]*/.exec(line.trimStart())![0].toUpperCase(), line);
    }
    if (line !== '.') return '';
    this.inData = false;
    this.#recipients = 0;
    this.mails++;
    return '250 queued\r\n';
  }

  #response(line: string): string {
    this.opaque += line;
    this.#authResponses--;
    if (line === '*' || line.length === this.habits.cutsAt) {
      this.#authResponses = 0;
      return '501 no\r\n';
    }
    return this.#authResponses > 0 ? '334 b\r\n' : '235 Ok\r\n';
  }

  #execute(verb: string, line: string): string {
    const { chunking, strictChunks, exchange } = this.features;
    if (strictChunks === true && this.#chunks !== 'none') {
      if (verb === 'RSET' || verb === 'QUIT') this.#chunks = 'none';
      else if (this.#chunks === 'only RSET' || (verb !== 'BDAT' && verb !== 'NOOP')) {
        this.#chunks = 'only RSET';
        return '503 no\r\n';
      }
    }
    switch (verb) {
      case 'EHLO': {
        this.#recipients = 0;
        const more = `${chunking === true ? '250-CHUNKING\r\n' : ''}${exchange === true ? '250-X-EXPS LOGIN\r\n250-XEXCH50\r\n' : ''}`;
        return `250-mail\r\n250-SIZE\r\n${more}250-STARTTLS\r\n250 AUTH LOGIN\r\n`;
      }
      case 'X-EXPS':
      case 'AUTH':
        if (verb === 'X-EXPS' && exchange !== true) return '500 no\r\n';
        this.#authResponses = 2;
        return '334 a\r\n';
      case 'STARTTLS':
        this.tls = true;
        return '220 go\r\n';
      case 'BDAT':
        return this.#bdat(line);
      case 'XEXCH50':
        return this.#blob(line);
      case 'RCPT':
        if (line.includes('nobody')) return '550 no\r\n';
        this.#recipients++;
        return '250 Ok\r\n';
      case 'DATA':
        this.inData = this.#recipients > 0;
        return this.inData ? '354 go\r\n' : '503 no\r\n';
      case 'HELO':
      case 'MAIL':
      case 'RSET':
        this.#recipients = 0;
        return '250 Ok\r\n';
      case 'NOOP':
      case 'VRFY':
      case 'EXPN':
      case 'TURN':
        return '250 Ok\r\n';
      case 'HELP':
        return '214-a\r\n214 b\r\n';
      case 'QUIT':
        return '221 bye\r\n';
      default:
        return '500 no\r\n';
    }
  }

  #bdat(line: string): string {
    if (this.features.chunking !== true) return '500 no\r\n';
    const size = Number(/^BDAT (\d+)/i.exec(line)?.[1] ?? 0);
    const last = /LAST$/i.test(line);
    if (this.features.strictChunks === true && (this.#recipients === 0 || (size === 0 && !last))) {
      if (this.#recipients > 0) this.#chunks = 'only RSET';
      return '503 no\r\n';
    }
    const reply = this.#recipients > 0 ? '250 Ok\r\n' : '503 no\r\n';
    this.#chunks = last ? 'none' : 'begun';
    if (last) {
      this.#recipients = 0;
      this.mails++;
    }
    return this.#expect(size, reply);
  }

  #blob(line: string): string {
    const size = /^XEXCH50 (\d+)( \d+)?$/i.exec(line)?.[1];
    if (this.features.exchange !== true || size === undefined) return '500 no\r\n';
    return '354 go\r\n' + this.#expect(Number(size), '250 Ok\r\n');
  }

  /** Takes octets, then replies. */
  #expect(octets: number, reply: string): string {
    this.#octets = octets;
    this.#behindOctets = reply;
    return octets === 0 ? reply : '';
  }
}
