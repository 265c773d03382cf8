/** What the data plane is told: nothing of the file, and of ten thousand lines only the one that has changed. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChanges, changesOf } from '../../../src/core/policy-changes.js';
import { changesInPieces, CollectedChanges, CollectedPolicy, policyPieces } from '../../../src/core/policy-pieces.js';
import type { Policy } from '../../../src/core/policy.js';
import { compilePolicy, PolicyCompiler } from '../../../src/ios/compile/policy.js';
import type { RouterConfig } from '../../../src/ios/config/model.js';
import { parseConfig } from '../../../src/ios/config/parse.js';
import { config3640 } from '../../support/router-3640.js';

/** Lines that come and go, and change what stands around them. */
const LINES = [
  'access-list 101 permit tcp any any eq 80',
  'access-list 101 deny udp any any',
  'access-list 7 permit 10.10.10.0 0.0.0.255',
  'access-list 7 deny host 10.10.10.9',
  'ip nat inside source static 10.10.10.77 172.22.1.177',
  'ip nat inside source static tcp 10.10.10.78 25 interface Ethernet2/0 2525',
  'ip nat pool P 172.22.1.200 172.22.1.210 netmask 255.255.255.0',
  'ip nat inside source list 7 pool P overload',
  'ip nat translation udp-timeout 77',
  'ip route 192.168.0.0 255.255.0.0 10.10.10.254',
  'ip route 192.168.7.0 255.255.255.0 Null0',
  'ip inspect udp idle-time 77',
  'ip inspect name OUT-IN udp timeout 12',
  'ip tcp intercept list 101',
  'ip port-map smtp port 2525 list 7',
  'interface Ethernet2/0\n ip tcp adjust-mss 1300\n no ip unreachables',
  'interface Ethernet2/1\n shutdown',
  'no access-list 101',
];

const extra = fc.subarray(LINES).map((lines) => lines.join('\n'));

/** Revisions are counted from the start of a compiler: what is compared is what they stand for. */
function withoutRevisions(policy: Policy): unknown {
  const plain = (key: string, value: unknown): unknown =>
    key === 'revision' ? undefined : value instanceof Map ? [...(value as Map<unknown, unknown>)] : value;
  return JSON.parse(JSON.stringify(policy, plain));
}

/** Through the wall between two processes. */
const sent = <T>(value: T): T => structuredClone(value);

describe('the changes between any two policies', () => {
  test('lead to the policy that a fresh start would compile', () => {
    fc.assert(
      fc.property(fc.array(extra, { minLength: 1, maxLength: 5 }), (texts) => {
        const compiler = new PolicyCompiler();
        let here: Policy | undefined;
        let there: Policy | undefined;
        for (const text of texts) {
          const config = config3640(text);
          const next = compiler.compile(config);
          there = applyChanges(there, sent(changesOf(here, next)));
          here = next;
          expect(there).toEqual(here);
          expect(withoutRevisions(there)).toEqual(withoutRevisions(compilePolicy(config)));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('have the same revisions where nothing has changed, and other ones where something has', () => {
    const compiler = new PolicyCompiler();
    const first = compiler.compile(config3640());
    const again = compiler.compile(config3640());
    expect(again.nat.revision).toBe(first.nat.revision);
    expect(again.routing).toBe(first.routing);
    // Parsed again, each entry is another object; read in another order of lines, it stands elsewhere in the file.
    expect(again.accessLists.get('101')).toBe(first.accessLists.get('101'));
    expect(compiler.compile(config3640(LINES[0])).accessLists.get('101')).not.toBe(first.accessLists.get('101'));
    expect(compiler.compile(config3640()).accessLists.get('101')).toEqual({
      ...first.accessLists.get('101'),
      revision: expect.any(Number) as number,
    });
    const changed = compiler.compile(config3640(LINES[4]));
    expect(changed.nat.revision).not.toBe(first.nat.revision);
    expect(changed.routing).toBe(first.routing);
  });

  test('of one line among ten thousand are one line', () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, i) => `access-list 102 permit tcp any host 10.${i >> 8}.${i & 255}.1`,
    );
    const { config } = parseConfig(lines.join('\n'), 'x.cfg');
    const compiler = new PolicyCompiler();
    const before = compiler.compile(config);
    const list = config.accessLists.get('102')!;
    const entries = [...list.entries];
    entries.splice(5000, 1, { ...entries[5000]!, action: 'deny' });
    const after = compiler.compile({ ...config, accessLists: new Map([['102', { ...list, entries }]]) });
    const changes = changesOf(before, after);
    expect(changes.accessLists.get('102')!.items).toHaveLength(1);
    expect(applyChanges(before, sent(changes))).toEqual(after);
  });

  test('are the same in pieces, however small; each piece is a short one', () => {
    fc.assert(
      fc.property(fc.array(extra, { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 3 }), (texts, most) => {
        const compiler = new PolicyCompiler();
        const collected = new CollectedChanges();
        let here: Policy | undefined;
        for (const text of texts) {
          const next = compiler.compile(config3640(text));
          const changes = changesOf(here, next);
          const { pieces, rest } = changesInPieces(changes, most === 0 ? undefined : most);
          for (const piece of pieces) {
            expect(piece.items.length).toBeLessThanOrEqual(Math.max(most, 1));
            collected.add(sent(piece));
          }
          for (const list of [...rest.accessLists.values(), rest.nat.bindings, rest.routing.routes])
            expect(list.items.length).toBeLessThanOrEqual(most === 0 ? 256 : most);
          expect(collected.complete(sent(rest))).toEqual(changes);
          here = next;
        }
      }),
    );
  });

  test('of which a control plane has sent only a part are forgotten with it', () => {
    const compiler = new PolicyCompiler();
    const changes = changesOf(undefined, compiler.compile(config3640()));
    const collected = new CollectedChanges();
    for (const piece of changesInPieces(changes, 1).pieces) collected.add(piece);
    collected.forget();
    expect(collected.complete(changes)).toEqual(changes);
  });

  test('that are not about what the other end has are refused', () => {
    const compiler = new PolicyCompiler();
    const [a, b, c] = ['', LINES[0], LINES.slice(0, 2).join('\n')].map((text) => compiler.compile(config3640(text)));
    expect(() => applyChanges(a, changesOf(b, c!))).toThrow(RangeError);
  });
});

/** All keys of a value, however deep. */
function keysOf(value: unknown, keys = new Set<string>()): Set<string> {
  if (value instanceof Map) for (const v of (value as Map<unknown, unknown>).values()) keysOf(v, keys);
  else if (Array.isArray(value)) for (const v of value) keysOf(v, keys);
  else if (typeof value === 'object' && value !== null)
    for (const [key, v] of Object.entries(value)) keysOf(v, keys.add(key));
  return keys;
}

test('a policy has no line numbers, and is the same after it was cloned', () => {
  const policy = compilePolicy(config3640(LINES.slice(0, 16).join('\n')));
  expect([...keysOf(policy)].filter((key) => /^lines?$|Line$/.test(key))).toEqual([]);
  expect(structuredClone(policy)).toEqual(policy);
});

test('a policy tells nothing of banners, passwords, remarks and descriptions', () => {
  const secret = 'hunter2';
  const config: RouterConfig = config3640(
    `enable password ${secret}\nusername u password ${secret}\nbanner motd #${secret}#\naccess-list 101 remark ${secret}\n` +
      `interface Ethernet2/0\n description ${secret}\nline vty 0 4\n password ${secret}`,
  );
  const plain = (_: string, value: unknown): unknown =>
    value instanceof Map ? [...(value as Map<unknown, unknown>)] : value;
  expect(JSON.stringify(config, plain)).toContain(secret);
  expect(JSON.stringify(compilePolicy(config), plain)).not.toContain(secret);
});

describe('a control plane that takes over', () => {
  /** The policy that is in force there, told piece by piece. */
  function told(there: Policy): Policy {
    const collected = new CollectedPolicy();
    for (const piece of policyPieces(there)) collected.add(sent(piece));
    return collected.policy!;
  }

  test('hears the policy that is in force, and leads it to its own, whatever either is', () => {
    fc.assert(
      fc.property(fc.array(extra, { minLength: 1, maxLength: 3 }), extra, extra, (before, text, typed) => {
        const first = new PolicyCompiler();
        let here: Policy | undefined;
        let there: Policy | undefined;
        for (const config of before.map(config3640)) {
          const next = first.compile(config);
          there = applyChanges(there, sent(changesOf(here, next)));
          here = next;
        }
        expect(told(there!)).toEqual(there);
        let known = told(there!);
        const second = new PolicyCompiler(undefined, known);
        for (const config of [config3640(text), config3640(typed)]) {
          const next = second.compile(config);
          there = applyChanges(there, sent(changesOf(known, next)));
          known = next;
          expect(there).toEqual(next);
          expect(withoutRevisions(there)).toEqual(withoutRevisions(compilePolicy(config)));
        }
      }),
    );
  });

  test('changes nothing where its configuration is the one in force: lists keep what they have counted', () => {
    fc.assert(
      fc.property(extra, (text) => {
        const there = applyChanges(
          undefined,
          sent(changesOf(undefined, new PolicyCompiler().compile(config3640(text)))),
        );
        const known = told(there);
        const next = new PolicyCompiler(undefined, known).compile(config3640(text));
        const after = applyChanges(there, sent(changesOf(known, next)));
        for (const [name, list] of there.accessLists) expect(after.accessLists.get(name)).toBe(list);
        expect(after.routing).toBe(there.routing);
        expect(after.nat.bindings).toBe(there.nat.bindings);
        expect(after.nat.revision).toBe(there.nat.revision);
      }),
    );
  });
});
