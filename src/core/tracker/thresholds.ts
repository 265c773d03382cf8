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
import type { Session } from '../session/session.js';
import type { SessionList } from '../session/session-list.js';
import type { SessionStatistics } from '../session/statistics.js';
import type { Row } from '../observe/row.js';

const MINUTE_MS = 60_000;
const NOT_BLOCKED = -1;
const CAUSES: readonly ResetCause[] = ['max-incomplete', 'one-minute', 'max-incomplete-host', 'host-blocked'];

/** Hosts that are saved, most. */
const MOST_SAVED = 400;

/** What is known of a destination host with half-open TCP sessions. */
interface Host {
  halfOpen: number;
  /** HOST_TCP_ALERT_ON was given, and the host has not been below the limit since. */
  alerted: boolean;
  /** Clock of the end of its block, ms. */
  blockedUntil: number;
  /** BLOCK_HOST was given. */
  told: boolean;
  /** The address in messages: as the last refused packet had it. */
  seen: number;
}

const NEW_HOST: Readonly<Host> = { halfOpen: 0, alerted: false, blockedUntil: NOT_BLOCKED, told: false, seen: 0 };

export class Thresholds {
  aggressive = false;
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
  ) {}

  /** Saves or loads who is blocked, or was alerted about, and what was counted. Half-open sessions are counted anew. */
  sync(io: StateIo): void {
    this.aggressive = io.flag(this.aggressive);
    this.#told = io.flag(this.#told);
    for (const cause of CAUSES) this.resets[cause].total = io.double(this.resets[cause].total);
    const saved = io.loading ? [] : [...this.#hosts].filter(([, h]) => h.alerted || h.blockedUntil !== NOT_BLOCKED);
    const count = io.below(Math.min(saved.length, MOST_SAVED), MOST_SAVED + 1);
    for (let i = 0; i < count; i++) {
      const [known, h] = saved[i] ?? [0, NEW_HOST];
      const address = io.int(known);
      const alerted = io.flag(h.alerted);
      const told = io.flag(h.told);
      const seen = io.int(h.seen);
      const blockedUntil = io.double(h.blockedUntil + 1) - 1; // from -1 on
      if (!io.loading) continue;
      this.#hosts.set(address, { halfOpen: 0, alerted, told, seen, blockedUntil });
      if (blockedUntil !== NOT_BLOCKED) this.#blocked.add(address);
    }
  }

  /** Sessions reset, by the threshold they were reset for. */
  rows(): Row[] {
    return CAUSES.map((name) => ({
      family: 'reset',
      name,
      help: `Half-open sessions reset for a threshold: ${name}`,
      kind: 'counter',
      read: () => this.resets[name].total,
    }));
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
    if (this.aggressive && this.halfOpen.oldest(this.victim))
      this.#resetVictim(
        this.halfOpen.count < this.globals.maxIncompleteLow ? 'one-minute' : 'max-incomplete',
        alert,
        now,
      );
    return PASS;
  }

  /** Compares count and rate with the marks. Called for each new session, and now and then while none come. */
  review(now: number, alert = false): void {
    const { alertOff, maxIncompleteHigh, maxIncompleteLow, oneMinuteHigh, oneMinuteLow } = this.globals;
    const count = this.halfOpen.count;
    // The session in hand is not counted yet: real logs show ALERT_ON with a rate of high + 1.
    const rate = this.statistics.creationRate(now);
    if (!this.aggressive && (count > maxIncompleteHigh || rate > oneMinuteHigh)) {
      this.aggressive = true;
      this.#told = alert;
      if (alert) this.outbox.event({ type: 'aggressive-on', count, limit: maxIncompleteHigh, rate });
    } else if (this.aggressive && count < maxIncompleteLow && rate < oneMinuteLow) {
      this.aggressive = false;
      if (this.#told && !alertOff) this.outbox.event({ type: 'aggressive-off', count, limit: maxIncompleteLow, rate });
    }
  }

  /** A session became half-open, or is it no longer. */
  noteHalfOpen(s: Session, change: 1 | -1): void {
    if (s.protocol !== IPPROTO_TCP) return;
    const host = this.#host(s.responder);
    host.halfOpen += change;
    // One below: the session that made room is not enough to speak of calm.
    if (host.halfOpen < this.globals.hostMaxIncomplete - 1) host.alerted = false;
    if (host.halfOpen === 0 && host.blockedUntil === NOT_BLOCKED) this.#hosts.delete(s.responder);
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
    const host = this.#hosts.get(responder);
    if (host === undefined) return PASS;
    if (host.blockedUntil > now) return DROP.sessionLimit;
    const { hostMaxIncomplete: limit, hostBlockMinutes: minutes } = this.globals;
    if (host.halfOpen < limit) return PASS;
    if (!host.alerted && alert) this.outbox.event({ type: 'host-alert', host: seen, limit });
    host.alerted = true;
    host.seen = seen;
    if (minutes === 0) {
      if (this.#findOldestTo(responder)) this.#resetVictim('max-incomplete-host', alert, now);
      return PASS;
    }
    // Entered before the sessions end, so that the entry stays.
    host.blockedUntil = now + minutes * MINUTE_MS;
    this.#blocked.add(responder);
    host.told = alert;
    if (alert) this.outbox.event({ type: 'host-blocked', host: seen, limit, minutes });
    while (this.#findOldestTo(responder)) this.#resetVictim('host-blocked', alert, now);
    return DROP.sessionLimit;
  }

  /** Moves `victim` to the oldest half-open TCP session to a host; false where there is none. */
  #findOldestTo(responder: number): boolean {
    const { victim, halfOpen } = this;
    for (let found = halfOpen.oldest(victim); found; found = halfOpen.younger(victim)) {
      if (victim.protocol === IPPROTO_TCP && victim.responder === responder) return true;
    }
    return false;
  }

  #resetVictim(cause: ResetCause, alert: boolean, now: number): void {
    this.resets[cause].note(now);
    if (alert) this.#wanted.add(cause);
    this.reset(this.victim, cause);
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
      host = { halfOpen: 0, alerted: false, blockedUntil: NOT_BLOCKED, told: false, seen: address };
      this.#hosts.set(address, host);
    }
    return host;
  }
}
