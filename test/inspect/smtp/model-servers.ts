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
}

export const STRICT: Habits = { name: 'CR LF', lineEnds: ['\r\n'] };

export const HABITS: readonly Habits[] = [
  STRICT,
  { name: 'LF', lineEnds: ['\n'], dropsTrailingCr: true },
  { name: 'CR LF or LF', lineEnds: ['\r\n', '\n'] },
  { name: 'CR LF, LF or CR', lineEnds: ['\r\n', '\n', '\r'] },
  { name: 'CR LF or CR', lineEnds: ['\r\n', '\r'] },
  { name: 'CR LF, drops NUL', lineEnds: ['\r\n'], drops: '\0' },
  { name: 'CR LF, LF or CR, drops NUL', lineEnds: ['\r\n', '\n', '\r'], drops: '\0' },
];

export class ModelServer {
  /** Command lines. */
  readonly executed: string[] = [];
  /** Mails taken to be complete. */
  mails = 0;
  inData = false;
  /** What stood behind STARTTLS in the clear when TLS began: a server with CVE-2011-0411 executes it. */
  injected = '';
  tls = false;
  #octets = 0;
  #authResponses = 0;
  #line = '';
  #swallowLf = false;
  #recipients = 0;

  /** @param chunking offers CHUNKING and takes BDAT; else its octets are command lines to this server */
  constructor(
    private readonly habits: Habits,
    private readonly chunking = false,
  ) {}

  /** Takes what arrives. @returns the replies */
  receive(part: string): string {
    const { lineEnds, drops } = this.habits;
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
        this.#octets--;
        continue;
      }
      if (c === drops) continue;
      this.#line += c;
      const end = lineEnds.find((e) => this.#line.endsWith(e));
      if (end === undefined) continue;
      const line = this.#line.slice(0, -end.length);
      this.#line = '';
      this.#swallowLf = end === '\r';
      replies += this.#take(this.habits.dropsTrailingCr === true ? line.replace(/\r+$/, '') : line);
    }
    return replies;
  }

  #take(line: string): string {
    if (this.#authResponses > 0) return --this.#authResponses > 0 ? '334 b\r\n' : '235 Ok\r\n';
    if (!this.inData) {
      const chunk = /^BDAT (\d+)/i.exec(line);
      if (chunk !== null && this.chunking) this.#octets = Number(chunk[1]);
      this.executed.push(line);
      return this.#execute(/^[A-Za-z0-9]*/.exec(line.trimStart())![0].toUpperCase());
    }
    if (line !== '.') return '';
    this.inData = false;
    this.#recipients = 0;
    this.mails++;
    return '250 queued\r\n';
  }

  #execute(verb: string): string {
    switch (verb) {
      case 'EHLO':
        return `250-mail\r\n250-SIZE\r\n${this.chunking ? '250-CHUNKING\r\n' : ''}250-STARTTLS\r\n250 AUTH LOGIN\r\n`;
      case 'AUTH':
        this.#authResponses = 2;
        return '334 a\r\n';
      case 'STARTTLS':
        this.tls = true;
        return '220 go\r\n';
      case 'BDAT':
        return this.chunking ? '250 Ok\r\n' : '500 no\r\n';
      case 'RCPT':
        this.#recipients++;
        return '250 Ok\r\n';
      case 'RSET':
        this.#recipients = 0;
        return '250 Ok\r\n';
      case 'DATA':
        this.inData = this.#recipients > 0;
        return this.inData ? '354 go\r\n' : '503 no\r\n';
      case 'HELO':
      case 'MAIL':
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
}
