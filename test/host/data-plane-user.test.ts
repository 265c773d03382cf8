/** Who the data plane becomes, by who starts it and on what box; and whose its tables are. */
import { lchownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseUser, handOver, type Starter, starterHere } from '../../src/host/data-plane-user.js';
import { Journal, journalUser } from '../../src/host/host-journal.js';
import { ShardFiles } from '../../src/host/shard-files.js';

const ALL = (1n << 41n) - 1n;
const NET = (1n << 12n) | (1n << 13n);
const BIND = 1n << 10n;
const PASSWD = 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n';
const root: Starter = { uid: 0, effective: ALL, ambient: 0n, passwd: PASSWD, hasSetpriv: true, isPublic: () => true };
const own: Starter = { ...root, uid: 995, effective: NET | BIND, ambient: NET | BIND };
const KEPT = ['--inh-caps', '--ambient-caps', '--bounding-set'].map((set) => `${set}=-all,+net_admin,+net_raw`);

test('started by root it becomes the system user, with two capabilities and no way to more', () => {
  const passwd = `${PASSWD}fw3640:x:995:991::/nonexistent:/usr/sbin/nologin\n`;
  expect(chooseUser({ ...root, passwd }, [])).toEqual({
    command: ['setpriv', '--reuid=995', '--regid=991', '--clear-groups', ...KEPT, '--no-new-privs', '--'],
    other: { uid: 995, gid: 991 },
  });
});

test.each([
  { name: 'there is no such user', passwd: PASSWD, uid: 65523 },
  { name: 'that user is root', passwd: `${PASSWD}fw3640:x:0:0::/:/bin/sh\n`, uid: 65523 },
  { name: 'somebody has the first number', passwd: `${PASSWD}a:x:65523:100::/:/bin/sh\n`, uid: 65522 },
  { name: 'somebody has it as a group', passwd: `${PASSWD}a:x:1000:65523::/:/bin/sh\n`, uid: 65522 },
])('where $name it becomes a number that nobody has', ({ passwd, uid }) => {
  const { command, other, note } = chooseUser({ ...root, passwd }, []);
  expect([other, note]).toEqual([{ uid, gid: uid }, undefined]);
  expect(command).toEqual(expect.arrayContaining([`--reuid=${uid}`, `--regid=${uid}`]));
});

test('started by a user of its own it stays that user, and leaves the capabilities that it does not need', () => {
  expect(chooseUser(own, [])).toEqual({ command: [], keptBack: [10] });
  expect(chooseUser({ ...own, ambient: NET, hasSetpriv: false }, [])).toEqual({ command: [], keptBack: [] });
});

const taken = Array.from({ length: 20 }, (_, i) => `u${i}:x:${65510 + i}:1::/:/bin/sh\n`).join('');
test.each([
  { name: 'there is no setpriv', starter: { ...root, hasSetpriv: false }, who: 'root', why: 'no setpriv' },
  { name: 'root may do little', starter: { ...root, effective: NET }, who: 'root', why: 'may not change users' },
  { name: 'root may not kill', starter: { ...root, effective: ALL & ~(1n << 5n) }, who: 'root', why: 'may not change' },
  {
    name: 'all numbers are taken',
    starter: { ...root, passwd: PASSWD + taken },
    who: 'root',
    why: 'no number is free',
  },
  { name: 'capabilities are not inherited', starter: { ...own, ambient: BIND }, who: 'user 995', why: 'not ambient' },
  { name: 'one of the two is', starter: { ...own, ambient: 1n << 12n }, who: 'user 995', why: 'not ambient' },
])('where $name it stays who we are, and that is said', ({ starter, who, why }) => {
  const { command, other, note } = chooseUser(starter, []);
  expect([command, other]).toEqual([[], undefined]);
  expect(note).toMatch(new RegExp(`^the data plane runs as ${who}, with all that it may do: .*${why}`));
});

test('a program that others cannot read is run by root, and that is said', () => {
  const hidden: Starter = { ...root, isPublic: (path) => path !== '/root/fw3640/worker.js' };
  expect(chooseUser(hidden, ['/usr/bin/node']).note).toBeUndefined();
  const { command, note } = chooseUser(hidden, ['/usr/bin/node', '/root/fw3640/worker.js']);
  expect([command, note]).toEqual([[], expect.stringContaining('/root/fw3640/worker.js is not for other users')]);
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fw3640-user-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a file is public where all folders on the way to it are, behind links too', () => {
  const { isPublic } = starterHere();
  const file = join(folder, 'file');
  const link = join(folder, 'link');
  writeFileSync(file, '', { mode: 0o644 });
  symlinkSync('/etc/passwd', link);
  expect([isPublic('/etc/passwd'), isPublic(link)]).toEqual([true, true]); // what a link leads to counts
  expect([isPublic(file), isPublic(join(folder, 'none'))]).toEqual([false, false]); // the folder is ours alone
  expect(isPublic('/proc/self/mem')).toBe(false);
});

test('this process knows its own user and capabilities', () => {
  const { uid, effective, passwd, hasSetpriv } = starterHere();
  expect(uid).toBe(process.getuid!());
  if (uid === 0) expect(effective & NET).toBe(NET);
  expect(passwd).toContain('root:');
  expect(hasSetpriv).toBe(true);
});

const USER = { uid: 65523, gid: 65522 };
const idsOf = (path: string): number[] => [statSync(path).uid, statSync(path).gid];

test.runIf(process.getuid!() === 0)('tables of root are handed over, whole; those of a third user are not', () => {
  const files = new ShardFiles(join(folder, 'net-1'));
  const { state } = files;
  try {
    handOver(files, USER); // there is nothing yet
    expect([statSync(state).mode & 0o777, ...idsOf(state), ...idsOf(dirname(state))]).toEqual([0o700, 65523, 65522, 65523, 65522]); // prettier-ignore
    writeFileSync(join(state, 'manifest'), '');
    for (const path of [join(state, 'manifest'), state, dirname(state)]) lchownSync(path, 0, 0);
    symlinkSync('/etc/passwd', join(state, 'link'));
    handOver(files, USER);
    for (const path of [join(state, 'manifest'), state, dirname(state)]) expect(idsOf(path)).toEqual([65523, 65522]);
    expect(idsOf('/etc/passwd')).toEqual([0, 0]);
    // Its own: what is in there is its own affair.
    writeFileSync(join(state, 'other'), '');
    handOver(files, USER);
    expect(idsOf(join(state, 'other'))).toEqual([0, 0]);
    lchownSync(dirname(state), 65521, 65521);
    lchownSync(state, 65521, 65521);
    handOver(files, USER);
    expect([readdirSync(state), idsOf(state)]).toEqual([[], [65523, 65522]]);
    mkdirSync(join(state, 'deep'));
    files.removeState();
    expect(() => statSync(dirname(state))).toThrow('ENOENT');
  } finally {
    files.removeState();
  }
});

test.runIf(process.getuid!() === 0)('what another user has written down, root does not carry out', () => {
  const path = join(folder, 'state.json');
  writeFileSync(path, JSON.stringify({ pid: 0, started: '', hardware: {}, entries: [] }));
  expect(journalUser(path)).toBeUndefined();
  expect(new Journal(path, () => undefined).entries).toEqual([]);
  lchownSync(path, 65523, 65522);
  expect(journalUser(path)).toEqual(USER);
  expect(() => new Journal(path, () => undefined)).toThrow(/is of user 65523, .*fw3640 cleanup/);
});
