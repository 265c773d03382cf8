/** Which rule inspects a first packet, whether one stands in the way back, and which ICMP errors need none. */
import { describe, expect, test } from 'vitest';
import { CompiledAccessList } from '../../src/core/acl/access-list.js';
import { RuleSet } from '../../src/core/inspect/rules.js';
import { Quote } from '../../src/core/nat/quote.js';
import type { Translator } from '../../src/core/nat/translator.js';
import type { InterfacePolicy } from '../../src/core/policy.js';
import type { Port } from '../../src/core/ports.js';
import { RuleChoice } from '../../src/core/rule-choice.js';
import { Flow } from '../../src/core/session/flow.js';
import { Packet } from '../../src/core/wire/packet.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import { icmpPacket, ip, udpPacket } from '../support/packets.js';
import { config3640 } from '../support/router-3640.js';

/** Only errors ask for what NAT has found. */
const NO_NAT = {} as unknown as Translator;
const TCP = 6;
const UDP = 17;
const ICMP = 1;
const POLICY = compilePolicy(
  config3640(
    [
      'ip inspect name MAIL smtp',
      'ip inspect name WEB http',
      'ip inspect name ANY udp',
      'ip inspect name ECHO icmp',
      'access-list 150 permit udp host 10.10.10.2 eq 7 host 198.51.100.1 eq 9',
      'access-list 151 permit udp host 203.0.113.9 eq 7 host 198.51.100.2 eq 90',
      'access-list 152 permit icmp any any echo',
      'access-list 153 permit icmp any any 8 1',
      'access-list 153 permit udp any any precedence critical',
    ].join('\n'),
  ),
);

const rules = new RuleSet();
rules.configure(POLICY.inspectionRules, false, [], () => undefined);

const port = (policy: Partial<InterfacePolicy> = {}, lists: Partial<Pick<Port, 'aclIn' | 'aclOut'>> = {}): Port => ({
  policy: { name: 'x', adjustMss: 0, unreachables: true, ...policy },
  mtu: 1500,
  number: 1,
  outside: false,
  inside: false,
  aclIn: undefined,
  aclOut: undefined,
  adjustMss: 0,
  ...lists,
});
const list = (name: string): CompiledAccessList => new CompiledAccessList(name, POLICY.accessLists.get(name)!.items);

describe('the rule of a first packet', () => {
  const choice = new RuleChoice(rules, NO_NAT);
  const chosen = (dstPort: number, seenPort: number, way: Partial<InterfacePolicy>, out?: Partial<InterfacePolicy>) => {
    const p = Object.assign(new Packet(), { protocol: TCP, dst: 1, dstPort });
    return choice.ruleFor(p, port(way), out && port(out), 2, seenPort)?.ruleName;
  };

  test.each([
    { what: 'none', in: {}, out: {}, want: undefined },
    { what: 'that of the way in', in: { inspectIn: 'MAIL' }, out: {}, want: 'MAIL' },
    { what: 'that of the way out', in: {}, out: { inspectOut: 'MAIL' }, want: 'MAIL' },
    { what: 'no rule of the other direction', in: { inspectOut: 'MAIL' }, out: { inspectIn: 'MAIL' }, want: undefined },
    { what: 'that of the way in before that of the way out', in: { inspectIn: 'MAIL' }, out: { inspectOut: 'OUT-IN' }, want: 'MAIL' }, // prettier-ignore
    { what: 'that of the way out where the other one does not know it', in: { inspectIn: 'WEB' }, out: { inspectOut: 'MAIL' }, want: 'MAIL' }, // prettier-ignore
    {
      what: 'one that is not defined is none',
      in: { inspectIn: 'NOWHERE' },
      out: { inspectOut: 'MAIL' },
      want: 'MAIL',
    },
    { what: 'where it leaves by no interface of ours, that of the way in', in: { inspectIn: 'MAIL' }, out: undefined, want: 'MAIL' }, // prettier-ignore
    { what: 'where it leaves by none, and the way in has none', in: {}, out: undefined, want: undefined },
  ])('is $what', ({ in: way, out, want }) => {
    expect(chosen(25, 25, way, out)).toBe(want);
  });

  test('is asked by the port behind NAT and by that in front of it', () => {
    expect(chosen(25, 2525, { inspectIn: 'MAIL' })).toBe('MAIL');
    expect(chosen(2525, 25, { inspectIn: 'MAIL' })).toBe('MAIL');
    expect(chosen(2525, 2525, {}, { inspectOut: 'MAIL' })).toBeUndefined();
    expect(chosen(2525, 25, {}, { inspectOut: 'MAIL' })).toBe('MAIL');
  });
});

test.each([
  { in: {}, out: {}, want: false },
  { in: { inspectIn: 'MAIL' }, out: { inspectOut: 'MAIL' }, want: false },
  { in: {}, out: { inspectIn: 'MAIL' }, want: true },
  { in: { inspectOut: 'MAIL' }, out: {}, want: true },
  { in: { inspectOut: 'MAIL' }, out: undefined, want: true },
  { in: {}, out: undefined, want: false },
  { in: { inspectOut: 'NOWHERE' }, out: { inspectIn: 'NOWHERE' }, want: false },
])('from $in to $out a rule stands in the way back: $want', ({ in: way, out, want }) => {
  expect(new RuleChoice(rules, NO_NAT).inspectsAnswers(port(way), out && port(out))).toBe(want);
});

describe('an ICMP error about what no rule inspects', () => {
  // The quoted packet went from `out` to `way`, from 10.10.10.2:7 to the inside global 198.51.100.1:9.
  interface Story {
    about?: Uint8Array;
    way?: Port;
    out?: Port | undefined;
    quoted?: Partial<{ src: number; srcPort: number; dst: number; dstPort: number }>;
  }
  const UDP_QUOTED = udpPacket('10.10.10.2', 7, '198.51.100.1', 9, 'x');
  const PING = icmpPacket('10.10.10.2', '198.51.100.1', 8, 0, [0, 7, 0, 1]);

  function passes(story: Story): boolean {
    const { about = UDP_QUOTED, way = port(), quoted = {} } = story;
    const out = 'out' in story ? story.out : port();
    const bytes = icmpPacket('192.0.2.1', '10.10.10.2', 3, 3, [0, 0, 0, 0, ...about]);
    const p = Object.assign(new Packet(), { bytes, at: 0, end: bytes.length, l4: 20, protocol: ICMP });
    const quote = new Quote();
    quote.read(p);
    const ends = { src: ip('10.10.10.2'), srcPort: 7, dst: ip('198.51.100.1'), dstPort: 9, ...quoted };
    const nat = { quote, quotedSrc: ends.src, quotedSrcPort: ends.srcPort, quotedDst: ends.dst, quotedDstPort: ends.dstPort }; // prettier-ignore
    const f = Object.assign(new Flow(), { dst: ip('198.51.100.2'), dstPort: 90 });
    return new RuleChoice(rules, nat as unknown as Translator).quotesUninspected(p, f, way, out, ip('203.0.113.9'));
  }

  test('passes where nothing forbids what it quotes', () => {
    expect([passes({}), passes({ about: PING })]).toEqual([true, true]);
  });

  test.each<[string, Story]>([
    ['leads nowhere that we know', { out: undefined }],
    ['quotes too little', { about: UDP_QUOTED.subarray(0, 24) }],
    ['quotes a segment of TCP', { about: UDP_QUOTED.map((b, i) => (i === 9 ? TCP : b)) }],
    ['quotes what a rule inspects where it came in', { out: port({ inspectIn: 'ANY' }) }],
    ['quotes what a rule inspects where it went out', { way: port({ inspectOut: 'ANY' }) }],
    ['quotes a request that a rule inspects', { about: PING, out: port({ inspectIn: 'ECHO' }) }],
    ['quotes what the inbound list denies', { out: port({}, { aclIn: list('151') }) }],
    ['quotes what the outbound list denies', { way: port({}, { aclOut: list('150') }) }],
    ['quotes what the inbound list has not, by its port', { out: port({}, { aclIn: list('150') }), quoted: { dstPort: 10 } }], // prettier-ignore
    ['quotes what the inbound list has not, by its other port', { out: port({}, { aclIn: list('150') }), quoted: { srcPort: 8 } }], // prettier-ignore
    [
      'quotes what the inbound list has not, by its address',
      { out: port({}, { aclIn: list('150') }), quoted: { src: 1 } },
    ],
    ['quotes what the inbound list has not, by its other address', { out: port({}, { aclIn: list('150') }), quoted: { dst: 1 } }], // prettier-ignore
    ['quotes what the outbound list has not, by its source port', { way: port({}, { aclOut: list('151') }), quoted: { srcPort: 8 } }], // prettier-ignore
  ])('is dropped where it %s', (_, story) => {
    expect(passes(story)).toBe(false);
  });

  test('the inbound list sees it inside, the outbound list as it went out', () => {
    expect(passes({ out: port({}, { aclIn: list('150') }) })).toBe(true);
    expect(passes({ way: port({}, { aclOut: list('151') }) })).toBe(true);
    expect(passes({ out: port({}, { aclIn: list('150') }), way: port({}, { aclOut: list('151') }) })).toBe(true);
  });

  test('lists see the type of a message', () => {
    const echoes = { out: port({}, { aclIn: list('152') }), way: port({}, { aclOut: list('152') }) };
    expect(passes({ about: PING, ...echoes })).toBe(true);
    const reply = icmpPacket('10.10.10.2', '198.51.100.1', 0, 0, [0, 7, 0, 1]);
    expect([passes({ about: reply, out: echoes.out }), passes({ about: reply, way: echoes.way })]).toEqual([
      false,
      false,
    ]);
  });

  test('lists see its code, and the bytes of its header', () => {
    const story = (about: Uint8Array): Story => ({ about, out: port({}, { aclIn: list('153') }) });
    const coded = icmpPacket('10.10.10.2', '198.51.100.1', 8, 1, [0, 7, 0, 1]);
    expect([passes(story(coded)), passes(story(PING))]).toEqual([true, false]);
    const urgent = UDP_QUOTED.map((b, i) => (i === 1 ? 0xa0 : b));
    expect([passes(story(urgent)), passes(story(UDP_QUOTED))]).toEqual([true, false]);
  });

  test('rules of the other direction do not inspect it', () => {
    expect(passes({ out: port({ inspectOut: 'ANY' }), way: port({ inspectIn: 'ANY' }) })).toBe(true);
  });
});

test('a datagram is asked for by its protocol', () => {
  const choice = new RuleChoice(rules, NO_NAT);
  const p = Object.assign(new Packet(), { protocol: UDP, dst: 1, dstPort: 25 });
  expect(choice.ruleFor(p, port({ inspectIn: 'ANY' }), undefined, 2, 25)?.service).toBe('udp');
  expect(choice.ruleFor(p, port({ inspectIn: 'MAIL' }), undefined, 2, 25)).toBeUndefined();
});
