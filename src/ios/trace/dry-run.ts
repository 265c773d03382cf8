/**
 * An engine that judges a packet which nobody has sent, over a copy of what the running router knows: it says what would
 * happen, and nothing does.
 */
import { Engine } from '../../core/engine.js';
import type { MemorySource } from '../../core/memory/flat-memory.js';
import type { Observer } from '../../core/observe/observer.js';
import { identifierOf } from '../../core/session/icmp.js';
import type { Session } from '../../core/session/session.js';
import { sessionSnapshot } from '../../core/state/view.js';
import type { SessionSnapshot } from '../../core/state/snapshot.js';
import type { Verdict } from '../../core/verdict.js';
import { IPPROTO_ICMP } from '../../core/wire/ipv4.js';
import { Packet } from '../../core/wire/packet.js';
import { isIcmpRequest } from '../../core/wire/icmp.js';
import type { RouterConfig } from '../config/model.js';
import { compilePolicy } from '../compile/policy.js';
import { type Known, probeBytes } from './probe-packet.js';
import type { TracedPacket } from './probe.js';

/** What the running router knows. */
export interface RouterMemory {
  /** Gives copies of its tables. */
  readonly source: MemorySource;
  /** Key of the SYN cookies it has sent, four words. */
  readonly cookieKey: Int32Array;
  /** Its clock, ms. */
  readonly now: number;
  /** Most sessions, as it was started. */
  readonly capacity: number;
}

const NOBODY = { event: () => undefined, inject: () => undefined, release: () => undefined };
/** Of a router that has just been started. */
const FRESH_CAPACITY = 64;
const FRESH_NOW = 1;
const SEED = 1;
/** Bytes behind a packet in the memory of a batch: it may grow by an option. */
const ROOM = 64;

export class DryRun {
  readonly engine: Engine;
  readonly #now: number;

  /**
   * @param mapped names of the interfaces that Linux has; undefined: all that can be
   * @param memory undefined: a router that has not seen a packet yet
   */
  constructor(config: RouterConfig, mapped: ReadonlySet<string> | undefined, memory: RouterMemory | undefined) {
    this.#now = memory?.now ?? FRESH_NOW;
    const options = {
      capacity: memory?.capacity ?? FRESH_CAPACITY,
      seed: SEED,
      now: this.#now,
      dry: true,
      ...(memory !== undefined && { memory: memory.source, cookieKey: memory.cookieKey }),
    };
    this.engine = new Engine(compilePolicy(config, mapped), options, NOBODY);
  }

  /**
   * Judges a whole IPv4 packet.
   * @param ingress index of the interface in the configuration
   * @returns the verdict; `packet` is the packet as it then is
   */
  judge(bytes: Uint8Array, ingress: number, observer?: Observer): { verdict: Verdict; packet: Packet } {
    const packet = packetOf(bytes, ingress);
    this.engine.observer = observer;
    const verdict = this.engine.handle(packet, this.#now);
    return { verdict, packet };
  }

  /** A packet for the words of a probe: where they fit a session, of that one. */
  bytesFor(probe: TracedPacket, ingress: number): Uint8Array {
    for (const identifier of this.#identifiers(probe)) {
      const bytes = probeBytes(probe, undefined, identifier);
      const session = this.engine.peek(packetOf(bytes, ingress));
      if (session !== undefined) return probeBytes(probe, this.#known(session), identifier);
    }
    return probeBytes(probe);
  }

  /** For people. */
  snapshot(s: Session): SessionSnapshot {
    return sessionSnapshot(s, this.#now);
  }

  #known(session: Session): Known {
    return { session, fromInitiator: this.engine.sessions.table.fromInitiator };
  }

  /** Words do not name the identifier of an ICMP message: a request is a new one, a reply may be to any. */
  #identifiers({ protocol, icmp, src, dst }: TracedPacket): Iterable<number> {
    if (protocol !== IPPROTO_ICMP || icmp === undefined || isIcmpRequest(icmp.type)) return [NEW_IDENTIFIER];
    const { nat, sessions } = this.engine;
    const found = new Set<number>();
    sessions.table.forEach((s) => {
      if (s.protocol !== IPPROTO_ICMP || (s.responder !== src && s.seenResponder !== src && s.initiator !== dst))
        return;
      nat.findGlobalOf(IPPROTO_ICMP, s.initiator, identifierOf(s), s.responder, identifierOf(s));
      found.add(identifierOf(s));
      found.add(nat.globalPort);
    });
    return found;
  }
}

/** No query has it: it is what follows the last one that is given. */
const NEW_IDENTIFIER = 0xffff;

function packetOf(bytes: Uint8Array, ingress: number): Packet {
  const p = new Packet();
  p.bytes = new Uint8Array(bytes.length + ROOM);
  p.bytes.set(bytes);
  p.end = bytes.length;
  p.ingress = ingress;
  return p;
}
