/**
 * What `show ip nat translations` lists: the translations of the table, and for inside hosts whose static entry needs
 * no flows the sessions that use it, as a 3640 would have extended entries. Extended ones stand before their simple one.
 */
import type { Engine } from '../engine.js';
import { KIND_OF, NO_MAPPING, type Translation } from '../nat/translation.js';
import { responderNumber } from '../session/endpoints.js';
import type { Session } from '../session/session.js';
import type { TranslationSnapshot } from './snapshot.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';

/** Translations in the records of the table from `from` up to `to`. @param now clock of the engine, ms */
export function translationsIn(engine: Engine, from: number, to: number, now: number): TranslationSnapshot[] {
  const found: TranslationSnapshot[] = [];
  engine.nat.translations.table.forEach(
    (t) => {
      // The port of a PAT binding is no entry of its own: IOS has its flows only.
      if (t.has(KIND_OF.flow) || t.has(KIND_OF.static) || t.protocol === 0) found.push(snapshotOf(t, now));
    },
    from,
    to,
  );
  return found;
}

/** Those that sessions in the records from `from` up to `to` use. @param now clock of the engine, ms */
export function translationsOfSessions(engine: Engine, from: number, to: number, now: number): TranslationSnapshot[] {
  const found: TranslationSnapshot[] = [];
  engine.sessions.table.forEach(
    (s) => {
      const t = translationOf(s, engine, now);
      if (t !== undefined) found.push(t);
    },
    from,
    to,
  );
  return found;
}

/** `static network` entries. @param now clock of the engine, ms */
export const networksOf = (engine: Engine, now: number): TranslationSnapshot[] =>
  engine.nat.translations.rules.networks.map(({ global, local }) => ({
    protocol: '---',
    insideGlobal: global,
    insideLocal: local,
    static: true,
    createdAgo: now,
    usedAgo: now,
  }));

/**
 * The list as IOS prints it.
 * @param table      what `translationsIn` found in the whole table
 * @param ofSessions what `translationsOfSessions` found: those are listed that have no record of their own
 */
export function arrangeTranslations(
  table: readonly TranslationSnapshot[],
  ofSessions: readonly TranslationSnapshot[],
  networks: readonly TranslationSnapshot[],
): TranslationSnapshot[] {
  const extended = table.filter((t) => t.outside !== undefined);
  const known = new Set(extended.map(insideEnds));
  for (const t of ofSessions) if (!known.has(insideEnds(t))) extended.push(t);
  const own = table.filter((t) => t.outside === undefined);
  const statics = [...own.filter((t) => t.static), ...networks];
  // The table has the first one configured last.
  const parents = [...statics.reverse(), ...own.filter((t) => !t.static)];
  const children = new Map<TranslationSnapshot | undefined, TranslationSnapshot[]>();
  const parentOf = parentFinder(parents);
  for (const e of extended) {
    const parent = parentOf(e);
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [e]);
    else siblings.push(e);
  }
  const list = parents.flatMap((parent) => {
    const ofParent = children.get(parent) ?? [];
    const usedAgo = ofParent.reduce((least, e) => Math.min(least, e.usedAgo), parent.usedAgo);
    return [...ofParent, { ...parent, usedAgo }];
  });
  return [...list, ...(children.get(undefined) ?? [])];
}

/** Finds the simple entry that a flow uses: of its port before that of its host. */
function parentFinder(
  parents: readonly TranslationSnapshot[],
): (flow: TranslationSnapshot) => TranslationSnapshot | undefined {
  const byEnds = new Map(parents.map((t) => [t.protocol === '---' ? hostEnds(t) : insideEnds(t), t]));
  return (flow) => byEnds.get(insideEnds(flow)) ?? byEnds.get(hostEnds(flow));
}

const hostEnds = (t: TranslationSnapshot): string => `${t.insideLocal} ${t.insideGlobal}`;
const insideEnds = (t: TranslationSnapshot): string =>
  `${hostEnds(t)} ${t.protocol} ${t.insideLocalPort} ${t.insideGlobalPort}`;

function snapshotOf(t: Translation, now: number): TranslationSnapshot {
  const flow = t.has(KIND_OF.flow);
  // An ICMP query has its identifier on both sides.
  const outsidePort = t.protocol === IPPROTO_ICMP ? t.insideGlobalPort : t.outsidePort;
  return {
    protocol: t.protocol === 0 ? '---' : protocolName(t.protocol),
    insideGlobal: t.insideGlobal,
    insideLocal: t.insideLocal,
    ...(t.protocol !== 0 && { insideGlobalPort: t.insideGlobalPort, insideLocalPort: t.insideLocalPort }),
    ...(flow && { outside: t.outside, outsidePort }),
    static: t.has(KIND_OF.static),
    createdAgo: (now - t.created) | 0,
    usedAgo: (now - t.since) | 0,
    ...(t.timeoutMs > 0 && { timeoutMs: t.timeoutMs }),
    ...(t.flows > 0 && { useCount: t.flows }),
    ...(t.mapping !== NO_MAPPING && { mapping: t.mapping }),
  };
}

const protocolName = (protocol: number): string =>
  protocol === IPPROTO_TCP
    ? 'tcp'
    : protocol === IPPROTO_UDP
      ? 'udp'
      : protocol === IPPROTO_ICMP
        ? 'icmp'
        : String(protocol);

/** The extended entry of a session of an inside host; undefined where none of its ends is translated. */
function translationOf(s: Session, engine: Engine, now: number): TranslationSnapshot | undefined {
  const { nat } = engine;
  const { protocol } = s;
  const responderPort = responderNumber(s);
  const fromInside = nat.findGlobalOf(protocol, s.initiator, s.initiatorPort, s.seenResponder, responderPort);
  if (!fromInside && !nat.findGlobalOf(protocol, s.responder, responderPort, s.initiator, s.initiatorPort))
    return undefined;
  return {
    protocol: protocolName(protocol),
    insideGlobal: nat.global,
    insideGlobalPort: nat.globalPort,
    insideLocal: fromInside ? s.initiator : s.responder,
    insideLocalPort: fromInside ? s.initiatorPort : responderPort,
    outside: fromInside ? s.seenResponder : s.initiator,
    outsidePort: fromInside ? responderPort : s.initiatorPort,
    static: false,
    createdAgo: (now - s.created) | 0,
    usedAgo: (now - s.heard) | 0,
  };
}
