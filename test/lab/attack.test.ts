/**
 * An attacker against real Postfix, Exim and OpenSMTPD, and a server of our own that tells all: dialogues made at random
 * from a seed. Whatever he does, none of them executes what the rule does not pass; their own logs say so.
 *
 * By hand, at scale: scripts/attack.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isForbidden, legalWords } from '../inspect/smtp/forbidden.js';
import { Attacker, type Client, dropLowTtl } from './support/attacker.js';
import { have, type Kind, KIND_NAMES } from './support/attacks.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import {
  attackedConfig,
  globalOf,
  haveMailers,
  MailServers,
  SERVER_NAMES,
  type ServerName,
} from './support/mail-servers.js';
import { ADDRESSES } from './support/mail-servers.js';
import { Choice, randomOf } from './support/random.js';
import { openTcp } from './support/tcp.js';
import { until } from './support/until.js';

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);

const SEED = number('FW3640_ATTACK_SEED', Math.floor(Date.now() / 1000) % 1_000_000);
/** Dialogues per rule; the first one, to replay one alone. */
const DIALOGUES = number('FW3640_ATTACK_DIALOGUES', 120);
const FIRST = number('FW3640_ATTACK_FIRST', 0);
const AT_ONCE = number('FW3640_ATTACK_AT_ONCE', 24);
const RULES = (process.env.FW3640_ATTACK_RULES ?? 'smtp;esmtp;esmtp allow BDAT,STARTTLS').split(';');
const KINDS = (process.env.FW3640_ATTACK_KINDS?.split(';') as Kind[] | undefined) ?? KIND_NAMES;
const SERVERS = (process.env.FW3640_ATTACK_SERVERS?.split(';') as ServerName[] | undefined) ?? SERVER_NAMES;
const PATIENCE_MS = 60_000 + DIALOGUES * 1000;

/** A router that counts nobody's half-open connections: all dialogues come from one network, many a second. */
const UNLIMITED = [
  'ip inspect max-incomplete high 100000',
  'ip inspect max-incomplete low 99999',
  'ip inspect one-minute high 1000000',
  'ip inspect one-minute low 999999',
  'ip inspect tcp max-incomplete host 100000 block-time 0',
];

describe.skipIf(!haveMailers)('an attacker', () => {
  describe.each(RULES.map((rule, i) => ({ rule, i })))('against $rule', ({ rule, i }) => {
    let lab: Lab;
    let servers: MailServers;
    let attacker: Attacker;
    let router: Fw3640;

    beforeAll(async () => {
      lab = Lab.up();
      servers = await MailServers.start(lab);
      dropLowTtl(lab);
      router = await Fw3640.start(lab, { config: attackedConfig(lab, rule, ...UNLIMITED) });
      attacker = await Attacker.start(lab);
    });
    afterAll(async () => {
      await attacker.close();
      await lab.down();
    });

    test('who comes by another way is noticed in the log of each server', async () => {
      for (const name of SERVERS) {
        const token = `k${i}c${SERVERS.indexOf(name)}`;
        const c = await openTcp(lab, 'inside', ADDRESSES[name], 25);
        await c.receive(/^220/);
        c.write('HELO c.test\r\n');
        await c.receive(/^250/m);
        c.write(`EXPN ${token}\r\n`);
        await c.receive(/^(2|5)\d\d .*\r\n[^]*^(2|5)\d\d .*\r\n/m);
        c.end();
        await until(
          `EXPN ${token} in the log of ${name}`,
          () => servers.executed(name, new RegExp(`^EXPN ${token}`)).length === 1,
        );
      }
    });

    test(
      `executes no EXPN in ${DIALOGUES} dialogues of seed ${SEED}`,
      async () => {
        const done = new Map<string, { kind: Kind; server: ServerName; client: Client }>();
        const figures = new Map<string, number>();
        let next = FIRST;
        const worker = async (): Promise<void> => {
          for (let n = next++; n < FIRST + DIALOGUES; n = next++) {
            const pick = new Choice(randomOf(SEED * 1_000_003 + n * 17 + i));
            const server = pick.of(SERVERS);
            const kind = pick.of(KINDS);
            const client = attacker.client(globalOf(server), pick.random);
            const token = `k${i}x${n}${n % 2 === 0 ? '' : 'y'}`;
            await have(kind, { client, pick, server, evil: `EXPN ${token}\r\n` });
            attacker.forget(client);
            done.set(token, { kind, server, client });
            const what = `${server}, ${kind}`;
            figures.set(what, (figures.get(what) ?? 0) + (client.text.includes('220') ? 1 : 0));
            if (DIALOGUES > 1000 && client.trail.length > 0 && n % 500 === 0) console.log(`${n} dialogues`);
          }
        };
        const words = legalWords(
          rule === 'smtp' ? 'smtp' : 'esmtp',
          rule.includes('allow') ? ['BDAT', 'STARTTLS'] : [],
        );
        const begin = performance.now();
        await Promise.all(Array.from({ length: AT_ONCE }, worker));
        const seconds = (performance.now() - begin) / 1000;
        const broken: string[] = [];
        for (const name of SERVERS) {
          for (const line of new Set(servers.executed(name, /./))) {
            if (!isForbidden(line, words) || /k\d+c\d/.test(line)) continue;
            const token = /k\d+x\d+y?/.exec(line)?.[0] ?? '';
            const d = done.get(token);
            broken.push(`${name} executed ${line}: ${d?.kind}, ${token}\n${d?.client.trail.join('\n')}`);
          }
        }
        const begun = [...figures.values()].reduce((a, b) => a + b, 0);
        console.log(`${rule}: seed ${SEED}, ${begun} of ${DIALOGUES} dialogues begun, ${seconds.toFixed(0)} s`);
        for (const [what, count] of [...figures].sort()) console.log(`  ${what}: ${count}`);
        expect(router.process.exitCode).toBeUndefined();
        if (broken.length > 0) console.log(broken.join('\n\n'));
        expect(broken.map((b) => b.split('\n')[0])).toEqual([]);
        expect(begun).toBeGreaterThan(DIALOGUES * 0.8);
      },
      PATIENCE_MS,
    );
  });
});
