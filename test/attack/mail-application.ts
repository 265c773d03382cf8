/**
 * Mail servers as an attacker knows them: what each does with lines that are too long, with BDAT where it does not fit,
 * with AUTH. Slow and obvious. Each habit is that of a real server, read in its source: Exim 4.96 (smtp_in.c,
 * auths/get_data.c), Postfix 3.7 and 3.11 (smtpd.c, smtp_stream.c), OpenSMTPD 6.8 (smtp_session.c).
 */
export interface MailHabits {
  name: string;
  /** `\r`: CR alone or with LF, and LF. */
  lineEnd: '\r\n' | '\n' | '\r';
  /** Bytes of a command line before the server acts on what it has; of an AUTH line or response. */
  lineLimit: number;
  authLimit: number;
  /** Then: it answers the part and reads on as if a new line began, passes over the rest, or hangs up. */
  beyond: 'cut' | 'skip' | 'close';
  /** Of a response to a challenge, where it is another one. */
  responseLimit?: number;
  /** Else it refuses AUTH. */
  knowsAuth?: boolean;
  /** It passes over so many bytes at most, and then reads on as if a new line began. */
  skipLimit?: number;
  /** Octets behind a BDAT that it refuses: read as commands, or passed over. */
  refusedChunk: 'commands' | 'skipped';
  /** It answers an empty line. */
  answersEmpty: boolean;
}

export const EXIM: MailHabits = {
  name: 'Exim',
  lineEnd: '\n',
  lineLimit: 16_384,
  authLimit: 16_384,
  beyond: 'cut',
  refusedChunk: 'commands',
  answersEmpty: true,
};

export const POSTFIX: MailHabits = {
  name: 'Postfix',
  lineEnd: '\n',
  lineLimit: 2048,
  authLimit: 2048,
  beyond: 'skip',
  refusedChunk: 'skipped',
  answersEmpty: true,
};

/** 3.10.13, 3.11: a client that sends so much is not to be read any more; what has arrived is, as the next line. */
export const POSTFIX_THAT_GIVES_UP: MailHabits = {
  ...POSTFIX,
  name: 'Postfix 3.10.13',
  responseLimit: 12_288,
  knowsAuth: false,
  skipLimit: 2048,
};

export const OPENSMTPD: MailHabits = {
  name: 'OpenSMTPD',
  lineEnd: '\n',
  lineLimit: 65_535,
  authLimit: 65_535,
  beyond: 'close',
  refusedChunk: 'commands',
  answersEmpty: true,
};

/** None that we know: as little as RFC 4954 §4.3 allows for AUTH, less for others, and no word to an empty line. */
export const SMALL: MailHabits = {
  name: 'one that cuts early',
  lineEnd: '\r\n',
  lineLimit: 1024,
  authLimit: 12_288,
  beyond: 'cut',
  refusedChunk: 'commands',
  answersEmpty: false,
};

/** Takes a CR alone for the end of a line, as some old ones do. */
export const OLD: MailHabits = { ...EXIM, name: 'an old one', lineEnd: '\r' };

export const MAIL_SERVERS: readonly MailHabits[] = [EXIM, POSTFIX, POSTFIX_THAT_GIVES_UP, OPENSMTPD, SMALL, OLD];

type Mode = 'command' | 'auth' | 'data' | 'tls' | 'closed';

export class MailApplication {
  /** Command lines, in the order in which they were executed. */
  readonly executed: string[] = [];
  mode: Mode = 'command';
  readonly #habits: MailHabits;
  #authResponses = 0;
  #octets = 0;
  #chunkReply = '';
  /** Bytes that are no whole line yet. */
  #unread = '';
  #skipping = false;
  /** Bytes that may still be passed over. */
  #mayPass = Infinity;
  #swallowLf = false;
  #sender = false;
  #recipients = 0;

  constructor(habits: MailHabits) {
    this.#habits = habits;
  }

  readonly greeting = '220 mail.example ESMTP\r\n';

  /** Takes what arrives. @returns the replies */
  receive(part: string): string {
    let replies = '';
    this.#unread += part;
    while (this.#unread !== '' && this.mode !== 'tls' && this.mode !== 'closed') {
      // The LF behind its CR is no octet of a chunk: with CR LF clients no server could take one else.
      if (this.#swallowLf && this.#unread.startsWith('\n')) this.#unread = this.#unread.slice(1);
      this.#swallowLf = false;
      if (this.#unread === '') break;
      if (this.#octets > 0) {
        const taken = Math.min(this.#octets, this.#unread.length);
        this.#octets -= taken;
        this.#unread = this.#unread.slice(taken);
        if (this.#octets === 0) replies += this.#chunkReply;
        continue;
      }
      const reply = this.#line();
      if (reply === undefined) break;
      replies += reply;
    }
    return replies;
  }

  /** Takes a line, or as much as it reads at once. @returns the reply, or undefined where more has to come */
  #line(): string | undefined {
    const { lineEnd, lineLimit, authLimit, responseLimit = authLimit, skipLimit, beyond } = this.#habits;
    const limit = this.mode === 'auth' ? responseLimit : /^AUTH/i.test(this.#unread) ? authLimit : lineLimit;
    const at = lineEnd === '\r' ? this.#unread.search(/[\r\n]/) : this.#unread.indexOf(lineEnd);
    const end = at + lineEnd.length;
    if (this.#skipping && skipLimit !== undefined && (at < 0 || at >= this.#mayPass)) {
      const passed = Math.min(this.#unread.length, this.#mayPass);
      this.#unread = this.#unread.slice(passed);
      this.#mayPass -= passed;
      this.#skipping = this.#mayPass > 0;
      return '';
    }
    if (at >= 0 && (end <= limit || this.mode === 'data' || this.#skipping)) {
      const line = this.#unread.slice(0, at).replace(/\r+$/, '');
      this.#swallowLf = lineEnd === '\r' && this.#unread[at] === '\r';
      this.#unread = this.#unread.slice(end);
      if (!this.#skipping) return this.#take(line);
      this.#skipping = false;
      return '';
    }
    if (this.#unread.length < limit || this.mode === 'data') return undefined;
    const part = this.#unread.slice(0, limit);
    this.#unread = this.#unread.slice(limit);
    if (this.#skipping) return '';
    switch (beyond) {
      case 'close':
        this.mode = 'closed';
        return '500 Line too long\r\n';
      case 'skip':
        this.#skipping = true;
        this.#mayPass = skipLimit ?? Infinity;
        return this.#take(part);
      case 'cut': {
        // Exim: an AUTH response that is too long is bad base64; a command that is too long is an unknown one.
        const wasAuth = this.mode === 'auth';
        this.mode = 'command';
        return wasAuth ? '501 Invalid base64 data\r\n' : '500 Unrecognized command\r\n';
      }
    }
  }

  #take(line: string): string {
    if (this.mode === 'auth') return this.#takeResponse(line);
    if (this.mode === 'data') {
      if (line !== '.') return '';
      this.mode = 'command';
      this.#sender = false;
      this.#recipients = 0;
      return '250 Queued\r\n';
    }
    this.executed.push(line);
    return this.#execute(line, /^[A-Za-z0-9]*/.exec(line.trimStart())![0].toUpperCase());
  }

  #takeResponse(line: string): string {
    if (line === '*' || /[^A-Za-z0-9+/=]/.test(line)) {
      this.mode = 'command';
      return '501 Cancelled or no base64\r\n';
    }
    if (--this.#authResponses > 0) return '334 UGFzc3dvcmQ6\r\n';
    this.mode = 'command';
    return '535 Incorrect\r\n';
  }

  #execute(line: string, verb: string): string {
    switch (verb) {
      case '':
        return this.#habits.answersEmpty ? '500 Unrecognized command\r\n' : '';
      case 'EHLO':
        this.#sender = false;
        this.#recipients = 0;
        return '250-mail.example\r\n250-SIZE\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-STARTTLS\r\n250 AUTH LOGIN\r\n';
      case 'HELO':
      case 'RSET':
        this.#sender = false;
        this.#recipients = 0;
        return '250 Ok\r\n';
      case 'AUTH': {
        if (this.#habits.knowsAuth === false) return '503 Authentication not enabled\r\n';
        const initial = / LOGIN +(\S+)/i.exec(line);
        this.mode = 'auth';
        this.#authResponses = initial === null ? 2 : 1;
        return initial === null ? '334 VXNlcm5hbWU6\r\n' : '334 UGFzc3dvcmQ6\r\n';
      }
      case 'STARTTLS':
        this.mode = 'tls';
        return '220 Go\r\n';
      case 'BDAT':
        return this.#chunk(line);
      case 'MAIL':
        if (this.#sender) return '503 Sender already given\r\n';
        this.#sender = !line.includes('refused');
        return this.#sender ? '250 Ok\r\n' : '550 Refused\r\n';
      case 'RCPT':
        if (!this.#sender) return '503 Sender first\r\n';
        if (line.includes('refused')) return '550 Refused\r\n';
        this.#recipients++;
        return '250 Ok\r\n';
      case 'DATA':
        if (this.#recipients === 0) return '503 Recipient first\r\n';
        this.mode = 'data';
        return '354 Go\r\n';
      case 'NOOP':
      case 'EXPN':
      case 'TURN':
        return '250 Ok\r\n';
      case 'VRFY':
        return '252 Perhaps\r\n';
      case 'HELP':
        return '214-a\r\n214 b\r\n';
      case 'QUIT':
        this.mode = 'closed';
        return '221 Bye\r\n';
      default:
        return '500 Unrecognized command\r\n';
    }
  }

  #chunk(line: string): string {
    const [, size, last] = /^BDAT +(\d+)( +LAST)?$/i.exec(line) ?? [];
    if (size === undefined) return '501 Bad size\r\n';
    const octets = Number(size);
    const refused = this.#recipients === 0;
    if (refused && this.#habits.refusedChunk === 'commands') return '503 Recipient first\r\n';
    this.#octets = octets;
    this.#chunkReply = refused ? '503 Recipient first\r\n' : '250 Ok\r\n';
    if (last !== undefined && !refused) {
      this.#sender = false;
      this.#recipients = 0;
    }
    return octets === 0 ? this.#chunkReply : '';
  }
}
