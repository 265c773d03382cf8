/** How sessions begin, move from state to state and end: each is timed, counted and told of. */
import type { EndReason, Event } from '../events.js';
import type { RuleEntry } from '../inspect/rules.js';
import type { InterceptPolicy } from '../policy.js';
import { endpointsOf } from '../session/endpoints.js';
import { Expendable } from '../session/expendable.js';
import { FLAG, type Session, SESSION_FIELDS, SIS } from '../session/session.js';
import { SessionList } from '../session/session-list.js';
import { type Count, COUNT, MARKS, type Siblings } from '../shard/siblings.js';
import { IPPROTO_ICMP, IPPROTO_TCP } from '../wire/ipv4.js';
import type { TimerWheel } from '../memory/timer-wheel.js';
import type { TrackerContext } from './context.js';
import type { DataConnections } from './data-connections.js';
import { Intercept } from './intercept.js';
import type { OwnSegments } from './own-segments.js';
import type { StreamTable } from './stream-table.js';
import { Thresholds } from './thresholds.js';

/** Sessions looked at in one call of `expire`, so that a burst of timeouts cannot stop the packets. */
const EXPIRE_BUDGET = 2000;

/** No record. */
export const NONE = -1;

export class Lifetimes {
  readonly thresholds: Thresholds;
  readonly intercept: Intercept;
  /** Sessions that no rule inspects. */
  uninspected = 0;
  #uninspectedElsewhere: (() => number) | undefined;
  readonly #timers: TimerWheel<Session>;
  /** Who may go for a new session. */
  readonly expendable: Expendable;
  /** Record of a session that both sides have closed, which the packet in hand may take the place of. */
  replaceable = NONE;
  /** Those that the thresholds count, in the order in which they began. */
  readonly #halfOpen = new SessionList(
    FLAG.halfOpen,
    SESSION_FIELDS.halfOpenNext.word,
    SESSION_FIELDS.halfOpenPrevious.word,
  );
  /** Cursor for the oldest of them. */
  #oldest: Session;
  readonly #timeOut = (s: Session): void => this.#timedOut(s);
  /** Clock of `expire`, ms. */
  #now: number;

  /** @param cookieKey four words that nobody else knows, for `ip tcp intercept` */
  constructor(
    private readonly context: TrackerContext,
    private readonly streams: StreamTable,
    private readonly data: DataConnections,
    private readonly own: OwnSegments,
    intercept: InterceptPolicy,
    cookieKey: Int32Array,
    now: number,
  ) {
    const { table, globals, statistics, outbox } = context;
    this.#now = now;
    this.#timers = table.timers(now);
    this.#oldest = table.session;
    this.expendable = new Expendable(table.cursor());
    this.thresholds = new Thresholds(globals, this.#halfOpen, statistics, outbox, table.cursor(), (s, why) =>
      this.reset(s, why),
    );
    this.intercept = new Intercept(intercept, cookieKey, outbox, table.cursor(), {
      toServer: (s, flags, seq, ack, window, mss) => own.toResponder(s, flags, seq, ack, window, mss),
      toClient: (s, flags, seq, ack) => own.toInitiator(s, flags, seq, ack),
      restart: (s, timeoutMs, t) => this.restartTimer(s, timeoutMs, t),
      end: (s, why) => this.end(s, why),
    });
  }

  /** There are other shards: what counts over all of them counts theirs, too. Before the first session. */
  join(siblings: Siblings): void {
    const { table, statistics, trace } = this.context;
    table.shard = siblings.shard;
    table.elsewhere = () => siblings.elsewhere(COUNT.sessions);
    trace.shard = siblings.shard;
    statistics.elsewhere = (state) => siblings.elsewhere((COUNT.opening + state) as Count);
    this.#uninspectedElsewhere = () => siblings.elsewhere(COUNT.uninspected);
    this.#oldest = table.cursor();
    this.thresholds.join(siblings, table.cursor());
    this.intercept.join(siblings);
  }

  /** Tells the other shards what there is here. */
  publish(siblings: Siblings): void {
    const { table, statistics } = this.context;
    const { incomplete, oldestCreated } = this.intercept;
    siblings.publish(COUNT.sessions, table.size);
    siblings.publish(COUNT.uninspected, this.uninspected);
    siblings.publish(COUNT.opening, statistics.halfOpen);
    siblings.publish(COUNT.open, statistics.established);
    siblings.publish(COUNT.closing, statistics.terminating);
    siblings.publish(COUNT.halfOpen, this.#halfOpen.count);
    siblings.publish(COUNT.incomplete, incomplete.count);
    siblings.publishOldest(MARKS.inspect, this.#halfOpen.oldest(this.#oldest) ? this.#oldest.created : undefined);
    siblings.publishOldest(MARKS.intercept, oldestCreated);
  }

  /** Sessions of all shards that no rule inspects. */
  get uninspectedInAll(): number {
    return this.uninspected + (this.#uninspectedElsewhere?.() ?? 0);
  }

  /** The session in record `s` is there: it is timed, counted and told of. */
  begin(s: Session, rule: RuleEntry, now: number): void {
    const { statistics, outbox, debug, trace } = this.context;
    this.beginUninspected(s, now);
    statistics.noteCreated(now);
    statistics.enter(SIS.opening, s.service);
    if (s.protocol !== IPPROTO_ICMP) this.#noteHalfOpen(s);
    if (rule.auditTrail) outbox.event({ type: 'session-start', endpoints: endpointsOf(s) });
    if (debug.objectCreation) trace.created(s);
  }

  /** Likewise where no rule inspects it: nobody is told. */
  beginUninspected(s: Session, now: number): void {
    this.#timers.schedule(s, now);
    this.expendable.add(s);
  }

  /** The session has gone from state `before` to another. */
  moved(s: Session, before: number): void {
    if (before === SIS.opening) this.expendable.remove(s);
    if (s.has(FLAG.uninspected)) return;
    const { statistics } = this.context;
    statistics.leave(before, s.service);
    statistics.enter(s.state, s.service);
    if (before === SIS.opening) this.#noteNotHalfOpen(s);
  }

  /** Gives a session a new timeout from now on. */
  restartTimer(s: Session, timeoutMs: number, now: number): void {
    const { debug, trace } = this.context;
    this.#timers.restart(s, timeoutMs, now);
    if (debug.timers && !s.has(FLAG.uninspected)) trace.timerStarted(s);
  }

  /** The handshake is complete. */
  established(s: Session, now: number): void {
    this.intercept.incomplete.remove(s);
    this.restartTimer(s, this.#idleMs(s), now);
  }

  /** Both have sent FIN; what is left is their last ACK (`ip inspect tcp finwait-time`). */
  closed(s: Session, now: number): void {
    this.expendable.remove(s); // a FIN again: its time begins again, too
    s.set(FLAG.ended);
    this.expendable.add(s);
    this.restartTimer(s, this.#finwaitMs(s), now);
  }

  /** Ends the sessions whose time is up. */
  expire(now: number): void {
    this.#now = now;
    this.#timers.expire(now, EXPIRE_BUDGET, this.#timeOut);
  }

  /** Ends a session: no packet belongs to it any longer. `why` goes to the audit trail. */
  end(s: Session, why: EndReason): void {
    const { table } = this.context;
    const { slot } = s;
    const before = table.inHand;
    if (slot === this.replaceable) this.replaceable = NONE;
    table.inHand = slot;
    this.finish(s, why);
    if (s.has(FLAG.uninspected)) this.uninspected--;
    table.remove(s);
    table.inHand = before === slot ? NONE : before;
  }

  /** All of `end` but that the record is still that of this flow. */
  finish(s: Session, why: EndReason): void {
    this.#timers.cancel(s);
    this.intercept.incomplete.remove(s);
    this.expendable.remove(s);
    if (s.has(FLAG.uninspected)) return;
    const { statistics, rules, outbox, debug, trace } = this.context;
    this.data.unrelate(s);
    this.#noteNotHalfOpen(s);
    statistics.leave(s.state, s.service);
    const rule = rules.entries[s.rule]!;
    const stream = this.streams.of(s);
    if (rule.auditTrail) {
      const event: Event = {
        type: 'session-stop',
        endpoints: endpointsOf(s),
        sent: s.initiatorBytes,
        received: s.responderBytes,
        reason: why,
        ...stream?.audit(),
      };
      outbox.event(event);
    }
    if (stream !== undefined) {
      this.data.expectNothing(s.slot);
      this.streams.end(s.slot, why);
    }
    if (debug.objectDeletion) trace.deleted(s);
    if (debug.timers) trace.timerStopped(s);
  }

  /** Ends a session and resets the connection towards both ends, as IOS does for signatures and thresholds. */
  reset(s: Session, why: EndReason): void {
    if (s.protocol === IPPROTO_TCP) this.own.reset(s, this.streams.of(s)?.shift);
    this.end(s, why);
  }

  /** Session `s`, which another process has left, is timed and counted again. */
  adopt(s: Session, now: number): void {
    this.#timers.schedule(s, now);
    if (s.has(FLAG.uninspected)) this.uninspected++;
    else this.context.statistics.enter(s.state, s.service);
  }

  /** Another process had counted `s` among the half-open ones. The oldest is to come first. */
  adoptHalfOpen(s: Session): void {
    this.#noteHalfOpen(s);
  }

  #timedOut(s: Session): void {
    const now = this.#now;
    if (s.has(FLAG.incomplete) && this.intercept.timedOut(s, this.context.globals.tcpSynwait * 1000, now)) return;
    if (this.data.keepsAlive(s, now)) this.#timers.schedule(s, now);
    else this.end(s, 'timeout');
  }

  /** Inferred: the timeouts of `ip tcp intercept` are for what no rule inspects. */
  #idleMs(s: Session): number {
    const { connectionTimeout } = this.intercept.config;
    return isOnlyIntercepted(s) ? connectionTimeout * 1000 : this.context.rules.entries[s.rule]!.idleMs;
  }

  #finwaitMs(s: Session): number {
    return (isOnlyIntercepted(s) ? this.intercept.config.finrstTimeout : this.context.globals.tcpFinwait) * 1000;
  }

  #noteHalfOpen(s: Session): void {
    this.#halfOpen.add(s);
    this.thresholds.noteHalfOpen(s, 1);
  }

  #noteNotHalfOpen(s: Session): void {
    if (!s.has(FLAG.halfOpen)) return;
    this.#halfOpen.remove(s);
    this.thresholds.noteHalfOpen(s, -1);
  }
}

const isOnlyIntercepted = (s: Session): boolean => s.has(FLAG.uninspected) && s.has(FLAG.intercepted | FLAG.watched);
