/** A data plane that was there before: taken over, replaced or ended, and why. */
import { expect, test, vi } from 'vitest';
import { findAtWork, type Finder, type Found, type Wanted } from '../../src/control/takeover.js';
import type { FromDataPlane } from '../../src/core/plane.js';
import { policyPieces, type PolicyPiece } from '../../src/core/policy-pieces.js';
import { FakePlane, policyOf, STATUS } from './fake-planes.js';

const removed: number[] = [];
const wanted = {
  files: { remove: (pid: number) => removed.push(pid) },
  build: 'b',
  user: { command: [] },
  queue: 3,
  capacity: 500,
  shards: 1,
} as unknown as Wanted;
const AT = { queue: 3, capacity: 500, shards: 1 };
const policy = policyOf();
const pieces: PolicyPiece[] = [...policyPieces(policy)];
const EVENTS: FromDataPlane = { type: 'events', events: [], number: 7 };
const RESUMED: FromDataPlane = { type: 'resumed', unheard: 5, status: STATUS };

/** What is found of a plane that answers `resume` so. */
async function find(
  hello: Partial<FakePlane['hello']>,
  answers: FromDataPlane[],
  closes = false,
): Promise<{ found: Found; said: string[]; plane: FakePlane }> {
  const plane = new FakePlane(9);
  plane.hello = { type: 'hello', build: 'b', ...hello };
  const send = plane.send.bind(plane);
  plane.send = (message) => {
    send(message);
    for (const answer of answers) plane.receive(answer);
    if (closes) plane.closed(undefined);
  };
  const said: string[] = [];
  const finder: Finder = { find: () => Promise.resolve(plane), end: () => Promise.reject(new Error('ended')) };
  return { found: await findAtWork(wanted, (why) => said.push(why), finder), said, plane };
}

test('where there is none, none is found', async () => {
  const finder: Finder = { find: () => Promise.resolve(undefined), end: () => Promise.reject(new Error('ended')) };
  expect(await findAtWork(wanted, () => expect.fail('nothing to say'), finder)).toEqual({});
});

test('one that does not answer is ended, and its files are removed', async () => {
  const name = { pid: 77, started: '5' };
  const ended: unknown[] = [];
  const said: string[] = [];
  removed.length = 0;
  const finder: Finder = {
    find: (files) => {
      expect(files).toBe(wanted.files);
      return Promise.resolve(name);
    },
    end: (one) => {
      expect(removed).toEqual([]);
      ended.push(one);
      return Promise.resolve();
    },
  };
  expect(await findAtWork(wanted, (why) => said.push(why), finder)).toEqual({});
  expect([ended, removed, said]).toEqual([[name], [77], ['the data plane (process 77) does not answer; it is ended']]);
});

test('one like the one that is wanted is taken over, with its policy and what it has said meanwhile', async () => {
  const half = Math.ceil(pieces.length / 2);
  const { found, said, plane } = await find({ at: AT }, [
    RESUMED,
    { type: 'policy', pieces: [], last: false },
    EVENTS,
    { type: 'policy', pieces: pieces.slice(0, half), last: false },
    { type: 'status', status: STATUS },
    { type: 'policy', pieces: pieces.slice(half), last: true },
  ]);
  expect(said).toEqual([]);
  expect(found).toEqual({
    atWork: { process: plane, policy, status: STATUS, unheard: 5, said: [EVENTS, { type: 'status', status: STATUS }] },
  });
  expect(plane.sent).toEqual([{ type: 'resume' }]);
});

test.each([
  { name: 'is of another build', hello: { build: 'c', at: AT }, says: 'is of another build (c); it is replaced' },
  { name: 'was never started', hello: {}, says: 'was never started; it is replaced' },
  { name: 'has another queue', hello: { at: { ...AT, queue: 4 } }, says: 'has another queue or another number of sessions; it is replaced' }, // prettier-ignore
  { name: 'is one of more', hello: { at: { ...AT, shards: 4 } }, says: 'is one of 4, and there shall be 1; it is replaced' }, // prettier-ignore
  { name: 'has another size', hello: { at: { ...AT, capacity: 4 } }, says: 'has another queue or another number of sessions; it is replaced' }, // prettier-ignore
])('one that $name is not spoken with: it is replaced', async ({ hello, says }) => {
  const { found, said, plane } = await find(hello, []);
  expect([found, said, plane.sent]).toEqual([{ outdated: plane }, [`the data plane (process 9) ${says}`], []]);
});

test.each([
  { name: 'whose connection ends', answers: [RESUMED], closes: true },
  { name: 'that tells no status', answers: [{ type: 'policy', pieces, last: true } as const], closes: false },
  { name: 'that tells no whole policy', answers: [RESUMED, { type: 'policy', pieces: [], last: true } as const], closes: false }, // prettier-ignore
])('one $name is replaced', async ({ answers, closes }) => {
  const { found, said, plane } = await find({ at: AT }, answers, closes);
  expect([found, said]).toEqual([{ outdated: plane }, ['the data plane (process 9) does not tell its policy; it is replaced']]); // prettier-ignore
});

test('one that tells its policy never, or not within five seconds, is replaced', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    let done = false;
    const finding = find({ at: AT }, [RESUMED]).then((f) => {
      done = true;
      return f;
    });
    await vi.advanceTimersByTimeAsync(4999);
    expect(done).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await finding).said).toEqual(['the data plane (process 9) does not tell its policy; it is replaced']);
  } finally {
    vi.useRealTimers();
  }
});
