/**
 * Two TCP ends in small (RFC 9293 §3.10, RFC 5961), for laws about what a router in between may let by: a mail server
 * with one place for one connection, and a client that has forgotten all it had. They know segments, not packets.
 */
import { seqAdd, seqDiff } from '../../src/core/wire/seq.js';

export interface Segment {
  /** Letters of FSRPAU. */
  flags: string;
  seq: number;
  ack: number;
  text: string;
}

const WINDOW = 65_535;

/** How a server takes a RST in its window that is not exactly what it expects: RFC 793 as it stood, or RFC 5961 §3. */
export type ResetRule = 'any in the window' | 'exact';

export class ModelServer {
  state: 'listen' | 'syn-received' | 'established' = 'listen';
  iss = 0;
  irs = 0;
  rcvNxt = 0;
  sndUna = 0;
  sndNxt = 0;
  /** Lines that the application took for commands, of all connections. */
  readonly commands: string[] = [];
  /** The initial sequence number of the next connection. Who attacks may have guessed it. */
  nextIss = 0;
  /** Sent, and not acknowledged yet. */
  #unacknowledged = '';
  #line = '';
  #inData = false;

  constructor(readonly resets: ResetRule) {}

  /** The application says goodbye and closes. */
  close(): Segment {
    const s = { ...this.#say('421 idle\r\n'), flags: 'FPA' };
    this.sndNxt = seqAdd(this.sndNxt, 1);
    return s;
  }

  /** The connection is gone without a word. */
  die(): void {
    this.state = 'listen';
  }

  receive(s: Segment): Segment[] {
    const has = (flag: string): boolean => s.flags.includes(flag);
    if (this.state === 'listen') {
      if (has('R')) return [];
      if (has('A')) return [{ flags: 'R', seq: s.ack, ack: 0, text: '' }];
      return has('S') ? this.#accept(s) : [];
    }
    const length = s.text.length + (has('F') ? 1 : 0) + (has('S') ? 1 : 0);
    const end = seqAdd(s.seq, length);
    if (has('S') && this.state === 'syn-received' && s.seq === this.irs) return [this.#synAck()];
    const acceptable = seqDiff(end, this.rcvNxt) >= 0 && seqDiff(s.seq, seqAdd(this.rcvNxt, WINDOW)) <= 0;
    if (!acceptable) return has('R') ? [] : [this.#ack()];
    if (has('R')) {
      if (this.state === 'established' && this.resets === 'exact' && s.seq !== this.rcvNxt) return [this.#ack()];
      this.state = 'listen';
      return [];
    }
    if (has('S')) {
      if (this.state === 'established') return [this.#ack()];
      this.state = 'listen'; // as Linux does with a SYN in the window of an embryonic connection
      return [{ flags: 'RA', seq: 0, ack: seqAdd(s.seq, 1), text: '' }];
    }
    if (!has('A')) return [];
    if (this.state === 'syn-received') {
      if (s.ack !== this.sndNxt) return [{ flags: 'R', seq: s.ack, ack: 0, text: '' }];
      this.state = 'established';
      this.sndUna = s.ack;
      return [this.#say('220 ready\r\n'), ...this.#take(s)];
    }
    if (seqDiff(s.ack, this.sndNxt) > 0 || seqDiff(s.ack, this.sndUna) < -WINDOW) return [this.#ack()];
    if (seqDiff(s.ack, this.sndUna) > 0) {
      this.#unacknowledged = this.#unacknowledged.slice(seqDiff(s.ack, this.sndUna));
      this.sndUna = s.ack;
    }
    return this.#take(s);
  }

  /** The retransmission timer has run out. */
  retransmit(): Segment[] {
    if (this.state === 'syn-received') return [this.#synAck()];
    if (this.state !== 'established' || this.#unacknowledged === '') return [];
    return [{ ...this.#ack(), flags: 'PA', seq: this.sndUna, text: this.#unacknowledged }];
  }

  #accept(s: Segment): Segment[] {
    this.state = 'syn-received';
    this.irs = s.seq;
    this.rcvNxt = seqAdd(s.seq, 1);
    this.iss = this.nextIss;
    this.sndUna = this.iss;
    this.sndNxt = seqAdd(this.iss, 1);
    this.#unacknowledged = '';
    this.#line = '';
    this.#inData = false;
    return [this.#synAck()];
  }

  #take(s: Segment): Segment[] {
    if (s.text === '') return [];
    const fresh = s.text.slice(Math.max(-seqDiff(s.seq, this.rcvNxt), 0));
    if (seqDiff(s.seq, this.rcvNxt) > 0 || fresh === '') return [this.#ack()];
    this.rcvNxt = seqAdd(this.rcvNxt, fresh.length);
    const replies: Segment[] = [];
    for (const byte of fresh) {
      this.#line += byte;
      if (!this.#line.endsWith('\r\n')) continue;
      const reply = this.#execute(this.#line.slice(0, -2));
      this.#line = '';
      if (reply !== '') replies.push(this.#say(reply));
    }
    return replies.length > 0 ? replies : [this.#ack()];
  }

  #execute(line: string): string {
    if (this.#inData) {
      this.#inData = line !== '.';
      return this.#inData ? '' : '250 ok\r\n';
    }
    this.commands.push(line);
    this.#inData = line === 'DATA';
    return this.#inData ? '354 go on\r\n' : '250 ok\r\n';
  }

  #say(text: string): Segment {
    const s = { ...this.#ack(), flags: 'PA', text };
    this.sndNxt = seqAdd(this.sndNxt, text.length);
    this.#unacknowledged += text;
    return s;
  }

  #ack(): Segment {
    return { flags: 'A', seq: this.sndNxt, ack: this.rcvNxt, text: '' };
  }

  #synAck(): Segment {
    return { flags: 'SA', seq: this.iss, ack: this.rcvNxt, text: '' };
  }
}

/** An end in SYN-SENT that knows of no earlier connection (RFC 9293 §3.10.7.3, and Linux's haste to repeat its SYN). */
export class ModelClient {
  established = false;
  /** The other end refused. */
  refused = false;
  syns = 0;
  sndNxt: number;
  rcvNxt = 0;

  constructor(readonly iss: number) {
    this.sndNxt = seqAdd(iss, 1);
  }

  syn(): Segment {
    this.syns++;
    return { flags: 'S', seq: this.iss, ack: 0, text: '' };
  }

  receive(s: Segment): Segment[] {
    const has = (flag: string): boolean => s.flags.includes(flag);
    if (this.established) {
      if (has('S') || s.text !== '') this.rcvNxt = seqAdd(s.seq, has('S') ? 1 : s.text.length);
      return has('R') || s.text === '' ? [] : [this.#ack()];
    }
    if (has('A') && s.ack !== this.sndNxt)
      return has('R') ? [] : [{ flags: 'R', seq: s.ack, ack: 0, text: '' }, this.syn()];
    if (has('R')) {
      this.refused ||= has('A');
      return [];
    }
    if (!has('S') || !has('A')) return [];
    this.established = true;
    this.rcvNxt = seqAdd(s.seq, 1);
    return [this.#ack()];
  }

  #ack(): Segment {
    return { flags: 'A', seq: this.sndNxt, ack: this.rcvNxt, text: '' };
  }
}
