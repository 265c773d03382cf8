/** `reload`, now and later; `write erase`. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { parseAddress } from '../../../src/ios/ipv4-text.js';
import { fakeRouter, type FakeRouter } from '../support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');
const MINUTE = 60_000;
let router: FakeRouter;
let session: ConsoleSession;

beforeEach(() => {
  router = fakeRouter(seed);
  session = new ConsoleSession(router, 'console', 15);
});

const type = (...lines: string[]): string => lines.map((l) => session.execute(l).output).join('');

/** Runs the job that the last line left. @returns what it prints, and whether it failed */
function job(of = session): Promise<[string, boolean]> {
  let screen = '';
  return new Promise((resolve) =>
    of.runJob(
      (text) => (screen += text),
      (failed) => resolve([screen, failed]),
    ),
  );
}

describe('reload', () => {
  test('asks, says why in the log, starts anew and hangs every terminal up, the one that asked last', async () => {
    const caller = new ConsoleSession(router, { vty: 1, from: parseAddress('10.10.10.5')! }, 15);
    const order: string[] = [];
    caller.hangUp = () => order.push('vty');
    session.hangUp = () => order.push('console');
    expect(type('reload')).toBe('');
    expect(session.prompt).toBe('Proceed with reload? [confirm]');
    expect(type('')).toBe('');
    expect(await job()).toEqual(['', false]);
    expect(order).toEqual(['vty', 'console']);
    expect(session.isClosed()).toBe(true);
    expect(router.calls).toEqual([
      'log 5 SYS-5-RELOAD: Reload requested by console. Reload Reason: Reload Command.',
      'reload',
      'log 5 SYS-5-RESTART: System restarted --',
    ]);
  });

  test('anything but Enter or y leaves it', () => {
    for (const answer of ['n', 'no', 'x']) type('reload', answer);
    expect(router.calls).toEqual([]);
    expect(session.isBusy()).toBe(false);
  });

  test('a startup-config with an error in it is refused: all goes on', async () => {
    router.reloadFault = '2 errors';
    type('reload new cables', 'y');
    expect(await job()).toEqual(['% 2 errors: the router goes on as it is\n', true]);
    expect(session.isClosed()).toBe(false);
    expect(router.calls[0]).toContain('Reload Reason: new cables.');
  });

  const SAVE = 'System configuration has been modified. Save? [yes/no]: ';

  test('offers to save what would be lost; Enter is no answer to that', () => {
    router.modified = true;
    expect(type('reload')).toBe('\n');
    expect(session.prompt).toBe(SAVE);
    expect(type('')).toBe("% Please answer 'yes' or 'no'.\n");
    expect(session.prompt).toBe(SAVE);
    expect(type('y')).toBe('Building configuration...\n[OK]\n');
    expect(session.prompt).toBe('Proceed with reload? [confirm]');
    expect(router.calls).toEqual(['writeStartup']);
  });

  test('without saving; and not at all where it could not be saved', () => {
    router.modified = true;
    type('reload', 'no');
    expect(session.prompt).toBe('Proceed with reload? [confirm]');
    session.dropQuestion();
    type('n');
    router.actions.writeStartup = () => 'the disk is full';
    expect(type('reload', 'yes')).toBe('\nBuilding configuration...\n% the disk is full\n');
    expect(session.asking).toBe(false);
  });
});

describe('reload at a time', () => {
  // The router's clock stands at 21:51:35 UTC, Fri Oct 18 2024.
  test.each([
    ['reload in 20', '22:11:35 UTC Fri Oct 18 2024 (in 20 minutes)'],
    ['reload in 1:05', '22:56:35 UTC Fri Oct 18 2024 (in 1 hour and 5 minutes)'],
    ['reload in 400:00', '13:51:35 UTC Mon Nov 4 2024 (in 400 hours)'],
    ['reload at 22:00', '22:00:00 UTC Fri Oct 18 2024 (in 8 minutes and 24 seconds)'],
    ['reload at 3:00', '03:00:00 UTC Sat Oct 19 2024 (in 5 hours and 8 minutes)'],
    ['reload at 03:00 1 november', '03:00:00 UTC Fri Nov 1 2024 (in 317 hours and 8 minutes)'],
    ['reload at 03:00 nov 1', '03:00:00 UTC Fri Nov 1 2024 (in 317 hours and 8 minutes)'],
  ])('%s', (command, when) => {
    expect(type(command)).toBe(`Reload scheduled for ${when} by console\nReload reason: Reload Command\n`);
    expect(session.prompt).toBe('Proceed with reload? [confirm]');
    expect(type('show reload')).toBe(''); // it is the answer to the question: not confirmed
    expect(type('show reload')).toBe('No reload is scheduled.\n');
  });

  test.each([
    ['reload at 03:00 18 july', '% The date must be within 24 days\n'],
    ['reload at 03:00 31 february', '% Not a valid date\n'],
    ['reload cancel', '% No reload is scheduled\n'],
  ])('%s is refused', (command, answer) => expect(type(command)).toBe(answer));

  test.each(['reload in 0', 'reload in 577:00', 'reload in soon', 'reload at 24:00'])('%s is no command', (command) =>
    expect(type(command)).toContain('Invalid input'),
  );

  test('in the time of the router, not of the host', () => {
    type('conf t', 'clock timezone CET 1', 'end');
    expect(type('reload at 23:00')).toMatch(/^Reload scheduled for 23:00:00 CET Fri Oct 18 2024 \(in 8 minutes and 24/);
  });

  test('warns every terminal as it comes near, is shown, and happens', () => {
    const told: string[] = [];
    session.tell = (text) => told.push(text);
    type('terminal length 0', 'reload in 20 fire drill');
    expect(type('')).toBe('\n***\n*** --- SHUTDOWN in 0:20:00 ---\n***\n');
    expect(router.calls).toEqual([
      'log 5 SYS-5-SCHEDULED_RELOAD: Reload requested for 22:11:35 UTC Fri Oct 18 2024 at 21:51:35 UTC Fri Oct 18 2024' +
        ' by console. Reload Reason: fire drill.',
    ]);
    expect(type('sh reload')).toBe(
      'Reload scheduled for 22:11:35 UTC Fri Oct 18 2024 (in 20 minutes) by console\nReload reason: fire drill\n',
    );
    expect(router.timers.map((t) => t.ms / MINUTE)).toEqual([15, 19, 20]);
    router.timers[0]!.run();
    expect(told).toEqual(['***\n*** --- SHUTDOWN in 0:05:00 ---\n***\n']);
    router.timers[2]!.run();
    expect(router.calls).toContain('reload');
    expect(type('show reload')).toBe('No reload is scheduled.\n');
  });

  test('can be cancelled, and takes the place of one that waits', () => {
    type('reload in 20', '', 'reload in 10', '');
    expect(router.timers.map((t) => t.ms / MINUTE)).toEqual([5, 9, 10]);
    expect(type('reload cancel')).toBe('\n***\n*** --- SHUTDOWN ABORTED ---\n***\n');
    expect(router.timers).toEqual([]);
    expect(router.calls.at(-1)).toMatch(/^log 5 SYS-5-SCHEDULED_RELOAD_CANCELLED: .* by console$/);
  });

  test('by whom: the name, and where from', () => {
    session = new ConsoleSession(router, { vty: 2, from: parseAddress('10.10.10.5')! }, 15);
    session.name = 'admin';
    expect(type('reload in 1')).toContain(' by admin on vty2 (10.10.10.5)\n');
  });
});

describe('write erase', () => {
  const ASKED = 'Erasing the nvram filesystem will remove all configuration files! Continue? [confirm]';

  test.each(['write erase', 'erase startup-config', 'erase nvram:', 'wr er', 'er st'])('%s', async (command) => {
    router.startup = '!\nend\n';
    type(command);
    expect(session.prompt).toBe(ASKED);
    type('');
    expect(await job()).toEqual(['[OK]\nErase of nvram: complete\n', false]);
    expect(type('show startup-config')).toBe('startup-config is not present\n');
    expect(router.calls).toEqual([
      'eraseStartup',
      'log 7 SYS-7-NV_BLOCK_INIT: Initialized the geometry of nvram',
      'log 6 HOST-6-NOTE: the startup configuration is kept as startup.erased',
    ]);
  });

  test('says so where the file cannot be put aside', async () => {
    router.actions.eraseStartup = (done) => done({ fault: 'EACCES' });
    type('write erase', 'y');
    expect(await job()).toEqual(['% EACCES\n', true]);
  });
});
