/**
 * Denial-of-service defence: `ip inspect max-incomplete`, `ip inspect one-minute`, `ip inspect tcp max-incomplete
 * host`. Half-open is a TCP session that is not established and a UDP session without an answer. Above the high mark
 * the router is aggressive: each new session costs the oldest half-open one, until both numbers are below low.
 */
import type { EndReason, ResetCause } from '../events.js';
import type { InspectGlobals } from '../policy.js';
import type { Outbox } from '../outbox.js';
import type { StateIo } from '../memory/state-io.js';
import { Tally } from '../limit/tally.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import { IPPROTO_TCP } from '../wire/ipv4.js';
import { COUNT, MARKS, NOTICE, type Notice, type Siblings } from '../shard/siblings.js';
import type { Session } from '../session/session.js';
import type { SessionList } from '../session/session-list.js';
import type { SessionStatistics } from '../session/statistics.js';
import { type Row, rowsOf } from '../observe/row.js';

const MINUTE_MS = 60_000;
const NOT_BLOCKED = -1;
const CAUSES: readonly ResetCause[] = ['max-incomplete', 'one-minute', 'max-incomplete-host', 'host-blocked'];

const STANDING = {
  halfOpenSessions: { kind: 'gauge', help: 'Half-open sessions, as the thresholds count them' },
  aggressive: { kind: 'gauge', help: 'Whether new sessions cost the oldest half-open ones now' },
  blockedHosts: { kind: 'gauge', help: 'Hosts to which new TCP sessions are refused now' },
} as const;

/** Hosts that are saved, most. */
const MOST_SAVED = 400;

/** What is known of a destination host with half-open TCP sessions. */
interface Host {
  halfOpen: number;
  /** Slot of the oldest of them, and when it began, ms. Kept where other shards want to know. */
  oldest: number;
  began: number;
  /** HOST_TCP_ALERT_ON was given, and the host has not been below the limit since. */
  alerted: boolean;
  /** Clock of the end of its block, ms. */
  blockedUntil: number;
  /** BLOCK_HOST was given. */
  told: boolean;
  /** The address in messages: as the last refused packet had it. */
  seen: number;
}

const NEW_HOST: Readonly<Host> = {
  halfOpen: 0,
  oldest: 0,
  began: 0,
  alerted: false,
  blockedUntil: NOT_BLOCKED,
  told: false,
  seen: 0,
};

export class Thresholds {
  #aggressive = false;
  /** The other shards of the router, whose sessions count, too. Undefined: there are none. */
  #siblings: Siblings | undefined;
  /** Cursor for the oldest session, while the victim is in hand. Where there are other shards. */
  #looked: Session;
  /** ALERT_ON was given. */
  #told = false;
  /** Thresholds for which a session was reset whose rule wants alerts. */
  readonly #wanted = new Set<ResetCause>();
  /** Sessions that were reset, by the threshold they were reset for. */
  readonly resets: Readonly<Record<ResetCause, Tally>> = {
    'max-incomplete': new Tally(),
    'one-minute': new Tally(),
    'max-incomplete-host': new Tally(),
    'host-blocked': new Tally(),
  };
  /** By inside local address, or outside address for sessions from inside. Entries live while they matter. */
  readonly #hosts = new Map<number, Host>();
  /** Hosts that are blocked now, in the order of their unblocking: block-time is the same for all. */
  readonly #blocked = new Set<number>();

  /**
   * @param victim a cursor of our own
   * @param reset  ends a session and resets the connection towards both ends
   */
  constructor(
    public globals: InspectGlobals,
    private readonly halfOpen: SessionList,
    private readonly statistics: SessionStatistics,
    private readonly outbox: Outbox,
    private readonly victim: Session,
    private readonly reset: (s: Session, why: EndReason) => void,
  ) {
    this.#looked = victim;
  }

  /** There are other shards. Before the first session. @param cursor of our own */
  join(siblings: Siblings, cursor: Session): void {
    this.#siblings = siblings;
    this.#looked = cursor;
    this.statistics.creations.moveTo(siblings.ring(MARKS.inspect));
  }

  get aggressive(): boolean {
    return this.#siblings === undefined ? this.#aggressive : this.#siblings.isAggressive(MARKS.inspect);
  }

  /** Saves or loads who is blocked, or was alerted about, and what was counted. Half-open sessions are counted anew. */
  sync(io: StateIo): void {
    this.#aggressive = io.flag(this.aggressive);
    this.#told = io.flag(this.#told);
    for (const cause of CAUSES) this.resets[cause].total = io.double(this.resets[cause].total);
    const saved = io.loading ? [] : this.#worthSaving();
    const count = io.below(Math.min(saved.length, MOST_SAVED), MOST_SAVED + 1);
    for (let i = 0; i < count; i++) {
      const [known, h] = saved[i] ?? [0, NEW_HOST];
      const address = io.int(known);
      const alerted = io.flag(h.alerted);
      const told = io.flag(h.told);
      const seen = io.int(h.seen);
      const blockedUntil = io.double(h.blockedUntil + 1) - 1; // from -1 on
      if (!io.loading) continue;
      this.#hosts.set(address, { ...NEW_HOST, alerted, told, seen, blockedUntil });
      if (blockedUntil !== NOT_BLOCKED) this.#blocked.add(address);
    }
  }

  /** Who is blocked, in the order of the unblocking; then who was alerted about. */
  #worthSaving(): (readonly [address: number, host: Host])[] {
    const blocked = [...this.#blocked].map((address) => [address, this.#host(address)] as const);
    return [...blocked, ...[...this.#hosts].filter(([address, h]) => h.alerted && !this.#blocked.has(address))];
  }

  /** Sessions reset, by the threshold they were reset for; and how things stand. */
  rows(): Row[] {
    // What is so in all shards the first one tells.
    const tells = (this.#siblings?.shard ?? 0) === 0;
    const standing = {
      halfOpenSessions: () => this.halfOpen.count,
      aggressive: () => Number(tells && this.aggressive),
      blockedHosts: () => (tells ? this.#blocked.size : 0),
    };
    return [
      ...CAUSES.map((name): Row => ({
        family: 'reset',
        name,
        help: `Half-open sessions reset for a threshold: ${name}`,
        kind: 'counter',
        read: () => this.resets[name].total,
      })),
      ...rowsOf('threshold', STANDING, (name) => standing[name]()),
    ];
  }

  /**
   * Makes room for a new session, or refuses it.
   * @param responder address the table knows the destination by; `seen` as the first packet had it
   * @param alert     of the rule: messages are wanted
   * @returns PASS, or DROP.sessionLimit while the host is blocked
   */
  admit(protocol: number, responder: number, seen: number, alert: boolean, now: number): Verdict {
    if (protocol === IPPROTO_TCP) {
      const v = this.#admitToHost(responder, seen, alert, now);
      if (v !== PASS) return v;
    }
    this.review(now, alert);
    if (this.aggressive) this.#makeRoom(alert, now);
    return PASS;
  }

  /** The oldest half-open session goes, wherever it is. */
  #makeRoom(alert: boolean, now: number): void {
    const cause = this.#count() < this.globals.maxIncompleteLow ? 'one-minute' : 'max-incomplete';
    const siblings = this.#siblings;
    if (siblings !== undefined) {
      const shard = siblings.oldest(
        MARKS.inspect,
        this.halfOpen.oldest(this.#looked) ? this.#looked.created : undefined,
      );
      if (shard !== siblings.shard) {
        siblings.tell(shard, NOTICE.resetOldest, CAUSES.indexOf(cause));
        this.#note(cause, alert, now);
        return;
      }
    }
    if (this.halfOpen.oldest(this.victim)) this.#resetVictim(cause, alert, now);
  }

  /** Half-open sessions of the router. */
  #count(): number {
    return this.halfOpen.count + (this.#siblings?.elsewhere(COUNT.halfOpen) ?? 0);
  }

  /** Compares count and rate with the marks. Called for each new session, and now and then while none come. */
  review(now: number, alert = false): void {
    const { alertOff, maxIncompleteHigh, maxIncompleteLow, oneMinuteHigh, oneMinuteLow } = this.globals;
    const count = this.#count();
    // The session in hand is not counted yet: real logs show ALERT_ON with a rate of high + 1.
    const rate = this.statistics.creationRate(now) + (this.#siblings?.rateElsewhere(MARKS.inspect, now) ?? 0);
    if (!this.aggressive && (count > maxIncompleteHigh || rate > oneMinuteHigh)) {
      if (this.#beAggressive(alert) && alert)
        this.outbox.event({ type: 'aggressive-on', count, limit: maxIncompleteHigh, rate });
    } else if (this.aggressive && count < maxIncompleteLow && rate < oneMinuteLow) {
      if (this.#calmDown() && !alertOff)
        this.outbox.event({ type: 'aggressive-off', count, limit: maxIncompleteLow, rate });
    }
  }

  /** @returns false where another shard was quicker */
  #beAggressive(told: boolean): boolean {
    if (this.#siblings !== undefined) return this.#siblings.beAggressive(MARKS.inspect, told);
    this.#aggressive = true;
    this.#told = told;
    return true;
  }

  /** @returns whether the end is to be told: the beginning was, and no other shard was quicker */
  #calmDown(): boolean {
    if (this.#siblings !== undefined) return this.#siblings.calmDown(MARKS.inspect);
    this.#aggressive = false;
    return this.#told;
  }

  /** A session became half-open, or is it no longer. */
  noteHalfOpen(s: Session, change: 1 | -1): void {
    if (s.protocol !== IPPROTO_TCP) return;
    const host = this.#host(s.responder);
    host.halfOpen += change;
    const siblings = this.#siblings;
    const elsewhere = siblings?.hostElsewhere(s.responder) ?? 0;
    // One below: the session that made room is not enough to speak of calm.
    if (change < 0 && host.halfOpen + elsewhere < this.globals.hostMaxIncomplete - 1)
      this.#setAlerted(s.responder, host, false);
    if (siblings !== undefined) {
      this.#noteOldest(host, s, change);
      siblings.publishHost(s.responder, host.halfOpen, host.began);
    }
    if (host.halfOpen === 0 && host.blockedUntil === NOT_BLOCKED) this.#hosts.delete(s.responder);
  }

  /** `s` has been added behind the others, or has left. Only where the oldest leaves the next one is looked for. */
  #noteOldest(host: Host, s: Session, change: 1 | -1): void {
    if (change > 0) {
      if (host.halfOpen > 1) return;
      host.oldest = s.slot;
      host.began = s.created;
      return;
    }
    if (s.slot !== host.oldest || host.halfOpen === 0) return;
    // The record of `s` still says which one came next: all of the host's are behind it.
    const next = this.#looked;
    next.at = s.at;
    if (!this.halfOpen.younger(next) || !this.#isTo(next, s.responder)) return;
    host.oldest = next.slot;
    host.began = next.created;
  }

  /** Ends blocks that are over, and aggressive mode when it has calmed down without new sessions; says what was reset. */
  tick(now: number): void {
    if (this.aggressive) this.review(now);
    this.#report(now);
    for (const address of this.#blocked) {
      const host = this.#host(address);
      if (host.blockedUntil > now) return;
      host.blockedUntil = NOT_BLOCKED;
      this.#blocked.delete(address);
      if (host.halfOpen === 0) this.#hosts.delete(address);
      if (host.told && !this.globals.alertOff) this.outbox.event({ type: 'host-unblocked', host: host.seen });
    }
  }

  #admitToHost(responder: number, seen: number, alert: boolean, now: number): Verdict {
    const known = this.#hosts.get(responder);
    const siblings = this.#siblings;
    if (known === undefined && siblings === undefined) return PASS;
    const elsewhere = siblings?.hostElsewhere(responder) ?? 0;
    if (known !== undefined && known.blockedUntil > now) return DROP.sessionLimit;
    const { hostMaxIncomplete: limit, hostBlockMinutes: minutes } = this.globals;
    if ((known?.halfOpen ?? 0) + elsewhere < limit) return PASS;
    const host = known ?? { ...NEW_HOST };
    const alerted = siblings === undefined ? host.alerted : siblings.isAlerted(responder);
    if (!alerted && alert) this.outbox.event({ type: 'host-alert', host: seen, limit });
    this.#setAlerted(responder, host, true);
    host.seen = seen;
    if (minutes === 0) {
      this.#makeRoomAt(responder, alert, now);
      return PASS;
    }
    // Entered before the sessions end, so that the entry stays.
    this.#hosts.set(responder, host);
    this.#block(responder, host, now + minutes * MINUTE_MS);
    host.told = alert;
    if (alert) this.outbox.event({ type: 'host-blocked', host: seen, limit, minutes });
    siblings?.tell('all', NOTICE.block, alert ? 1 : 0, responder, host.blockedUntil);
    this.#resetAllTo(responder, alert, now);
    return DROP.sessionLimit;
  }

  /** One whose last block is over, and was not taken note of yet, has its turn behind the others. */
  #block(address: number, host: Host, until: number): void {
    host.blockedUntil = until;
    this.#blocked.delete(address);
    this.#blocked.add(address);
  }

  /** The oldest half-open session to a host goes, wherever it is. */
  #makeRoomAt(responder: number, alert: boolean, now: number): void {
    const siblings = this.#siblings;
    if (siblings !== undefined) {
      const own = this.#oldestTo(this.#looked, responder) ? this.#looked.created : undefined;
      const shard = siblings.oldestTo(responder, own);
      if (shard !== siblings.shard) {
        siblings.tell(shard, NOTICE.resetOldestTo, 0, responder);
        this.#note('max-incomplete-host', alert, now);
        return;
      }
    }
    if (this.#oldestTo(this.victim, responder)) this.#resetVictim('max-incomplete-host', alert, now);
  }

  /** Moves `cursor` to the oldest half-open TCP session to a host; false where there is none. */
  #oldestTo(cursor: Session, responder: number): boolean {
    return this.halfOpen.oldest(cursor) && this.#isTo(cursor, responder);
  }

  /** Likewise among `cursor` and those that are younger. */
  #isTo(cursor: Session, responder: number): boolean {
    do {
      if (cursor.protocol === IPPROTO_TCP && cursor.responder === responder) return true;
    } while (this.halfOpen.younger(cursor));
    return false;
  }

  #resetAllTo(responder: number, alert: boolean, now: number): void {
    while (this.#oldestTo(this.victim, responder)) this.#resetVictim('host-blocked', alert, now);
  }

  #setAlerted(address: number, host: Host, alerted: boolean): void {
    if (this.#siblings === undefined) host.alerted = alerted;
    else if (alerted !== this.#siblings.isAlerted(address)) this.#siblings.setAlerted(address, alerted);
  }

  /** Does what another shard wants done. */
  take({ kind, detail, address, until }: Notice, now: number): void {
    switch (kind) {
      case NOTICE.resetOldest:
        if (this.halfOpen.oldest(this.victim)) this.reset(this.victim, CAUSES[detail] ?? 'max-incomplete');
        else this.#passOn(detail);
        return;
      case NOTICE.resetOldestTo:
        if (this.#oldestTo(this.victim, address)) this.reset(this.victim, 'max-incomplete-host');
        return;
      case NOTICE.block: {
        const host = this.#host(address);
        this.#block(address, host, now + ((until - now) | 0));
        host.told = false; // who has blocked it says so
        this.#resetAllTo(address, detail !== 0, now);
        return;
      }
      case NOTICE.noteReset:
        this.#note(CAUSES[detail >> 1] ?? 'max-incomplete', (detail & 1) !== 0, now);
    }
  }

  /** The session that was meant has gone meanwhile: then the oldest one is another shard's. */
  #passOn(detail: number): void {
    const siblings = this.#siblings!;
    const shard = siblings.oldest(MARKS.inspect, undefined);
    if (shard !== siblings.shard) siblings.tell(shard, NOTICE.resetOldest, detail);
  }

  #resetVictim(cause: ResetCause, alert: boolean, now: number): void {
    this.#note(cause, alert, now);
    this.reset(this.victim, cause);
  }

  /** A session is reset. The first shard counts and tells for all. */
  #note(cause: ResetCause, alert: boolean, now: number): void {
    const siblings = this.#siblings;
    if (siblings !== undefined && siblings.shard !== 0) {
      siblings.tell(0, NOTICE.noteReset, (CAUSES.indexOf(cause) << 1) | (alert ? 1 : 0));
      return;
    }
    this.resets[cause].note(now);
    if (alert) this.#wanted.add(cause);
  }

  /** Once a minute while sessions are reset: an operator whose mail is delayed has to see why. */
  #report(now: number): void {
    for (const cause of CAUSES) {
      const tally = this.resets[cause];
      const sessions = tally.take(now);
      if (sessions > 0 && this.#wanted.delete(cause) && !this.globals.alertOff)
        this.outbox.event({ type: 'sessions-reset', cause, sessions, seconds: tally.seconds });
    }
  }

  #host(address: number): Host {
    let host = this.#hosts.get(address);
    if (host === undefined) {
      host = { ...NEW_HOST, seen: address };
      this.#hosts.set(address, host);
    }
    return host;
  }
}
