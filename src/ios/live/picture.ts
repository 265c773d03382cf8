/** The network as configured, in the words of the configuration, for the live page. */
import { entryFormat } from '../config/acl-text.js';
import { inListOrder } from '../config/list-order.js';
import type { AccessList, DynamicNat, InterfaceConfig, RouterConfig, StaticNat } from '../config/model.js';
import { formatAddress, prefixLength } from '../ipv4-text.js';
import { type LivePicture, MOST, type PictureInterface, type PictureList } from './frame.js';

/** @param mapped names of the interfaces that a Linux interface is bound to; undefined: all */
export function pictureOf(
  config: RouterConfig,
  revision: number,
  release: string,
  mapped: ReadonlySet<string> | undefined,
): LivePicture {
  const { inspect, nat } = config;
  const interfaces = config.interfaces.filter((i) => mapped?.has(i.name) ?? true);
  const lists = listsOf(config);
  return {
    revision,
    hostname: config.hostname,
    release,
    interfaces: interfaces.map((i) => interfaceOf(config, i)),
    statics: nat.staticEntries.slice(0, MOST.statics).map(staticOf),
    staticsMore: Math.max(0, nat.staticEntries.length - MOST.statics),
    dynamic: nat.dynamic.slice(0, MOST.statics).map(dynamicOf),
    lists,
    listsMore: Math.max(0, config.accessLists.size - MOST.lists),
    thresholds: {
      halfOpen: { low: inspect.maxIncompleteLow, high: inspect.maxIncompleteHigh },
      oneMinute: { low: inspect.oneMinuteLow, high: inspect.oneMinuteHigh },
      host: inspect.hostMaxIncomplete,
    },
    transcripts: inspect.transcripts,
  };
}

function interfaceOf(config: RouterConfig, i: InterfaceConfig): PictureInterface {
  const primaryFirst = [...i.addresses].sort((a, b) => Number(a.secondary ?? false) - Number(b.secondary ?? false));
  return {
    name: i.name,
    description: i.description ?? '',
    addresses: primaryFirst.map(({ address, mask }) => `${formatAddress(address)}/${prefixLength(mask)}`),
    side: i.nat ?? 'neither',
    shutdown: i.shutdown,
    accessIn: i.accessGroupIn ?? '',
    accessOut: i.accessGroupOut ?? '',
    inspectIn: ruleOf(config, i.inspectIn),
    inspectOut: ruleOf(config, i.inspectOut),
  };
}

function ruleOf(config: RouterConfig, name: string | undefined): string {
  if (name === undefined) return '';
  const protocols = config.inspectionRules.get(name)?.protocols ?? [];
  return `${name}: ${protocols.map((p) => p.protocol).join(' ')}`;
}

function staticOf(s: StaticNat): { inside: string; outside: string } {
  const global = s.interfaceName ?? formatAddress(s.insideGlobal);
  const behind = (port: number | undefined): string =>
    s.ports === undefined ? (s.mask === undefined ? '' : `/${prefixLength(s.mask)}`) : `:${port} ${s.ports.protocol}`;
  return {
    inside: formatAddress(s.insideLocal) + behind(s.ports?.insideLocal),
    outside: global + behind(s.ports?.insideGlobal),
  };
}

const dynamicOf = (d: DynamicNat): string =>
  `list ${d.list} ${d.pool === undefined ? `interface ${d.interfaceName ?? ''}` : `pool ${d.pool}`}` +
  (d.overload ? ' overload' : '');

function listsOf(config: RouterConfig): PictureList[] {
  let room: number = MOST.entries;
  return inListOrder(config.accessLists.values())
    .slice(0, MOST.lists)
    .map((list) => {
      const entries = list.entries.slice(0, room);
      room -= entries.length;
      const format = entryFormat(list);
      return {
        name: list.name,
        kind: list.kind,
        applied: appliedTo(config, list),
        entries: entries.map((e) => `${e.sequence} ${format(e)}`),
        entriesMore: list.entries.length - entries.length,
      };
    });
}

function appliedTo(config: RouterConfig, { name }: AccessList): string[] {
  return config.interfaces.flatMap((i) => [
    ...(i.accessGroupIn === name ? [`${i.name} in`] : []),
    ...(i.accessGroupOut === name ? [`${i.name} out`] : []),
  ]);
}
