/** `telnet` out of the router: what is typed and said, leaving it with Ctrl-^ x, coming back, and its end. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Call, CallEvents } from '../../../src/ios/exec/dial.js';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { formatAddress } from '../../../src/ios/ipv4-text.js';
import { fakeRouter, type FakeRouter } from '../support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');

/** A call as its other end has it. */
interface Dialled extends CallEvents {
  to: string;
  keys: string;
  held: boolean;
  isClosed: boolean;
}

let router: FakeRouter;
let session: ConsoleSession;
let calls: Dialled[];
let screen: string;
let failed: boolean | undefined;

beforeEach(() => {
  router = fakeRouter(seed.replace(/\nend\n/, '\nip host backup 10.10.10.2\nend\n'));
  calls = [];
  router.dial = (address, port, events): Call => {
    const one: Dialled = { ...events, to: `${formatAddress(address)}:${port}`, keys: '', held: false, isClosed: false };
    calls.push(one);
    return {
      send: (key) => void (one.keys += String.fromCharCode(key)),
      hold: (held) => void (one.held = held),
      close: () => void (one.isClosed = true),
    };
  };
  session = new ConsoleSession(router, 'console');
  session.logIn();
});

/** Types lines; a job that the last one leaves is begun. */
function type(...lines: string[]): string {
  screen = '';
  for (const line of lines) screen += session.execute(line).output;
  failed = undefined;
  if (session.isBusy())
    session.runJob(
      (text) => (screen += text),
      (f) => (failed = f),
    );
  return screen;
}

const keys = (text: string): void => [...Buffer.from(text)].forEach((byte) => session.key(byte));

test('what is typed goes there, what is said comes here, until the other end closes', () => {
  type('telnet 10.10.10.2');
  expect(calls.map((c) => c.to)).toEqual(['10.10.10.2:23']);
  expect([session.takesKeys(), screen]).toEqual([true, 'Trying 10.10.10.2 ... ']);
  calls[0]!.open();
  calls[0]!.data('login: ');
  keys('root\r\x03');
  expect(calls[0]!.keys).toBe('root\r\x03'); // Ctrl-C is the other end's
  calls[0]!.closed('closed');
  expect(screen).toBe('Trying 10.10.10.2 ... Open\nlogin: \n[Connection to 10.10.10.2 closed by foreign host]\n');
  expect([failed, session.isBusy()]).toEqual([false, false]);
  expect(type('show sessions')).toBe('% No connections open\n');
});

test.each([
  { command: 'telnet backup smtp', to: '10.10.10.2:25', said: 'Trying 10.10.10.2, 25 ... ' },
  { command: 'tel 10.0.0.1 8080', to: '10.0.0.1:8080', said: 'Trying 10.0.0.1, 8080 ... ' },
])('$command', ({ command, to, said }) => {
  expect(type(command)).toBe(said);
  expect(calls[0]!.to).toBe(to);
});

test.each([
  ['refused', '% Connection refused by remote host'],
  ['timed-out', '% Connection timed out; remote host not responding'],
  ['unreachable', '% Destination unreachable; gateway or host down'],
] as const)('%s', (why, words) => {
  type('telnet 10.10.10.2');
  calls[0]!.closed(why);
  expect([screen, failed]).toEqual([`Trying 10.10.10.2 ... \n${words}\n`, true]);
});

describe('Ctrl-^ x', () => {
  beforeEach(() => {
    type('telnet backup');
    calls[0]!.open();
    session.suspend();
  });

  test('comes back to the prompt; the other end waits', () => {
    expect([failed, session.isBusy(), calls[0]!.held]).toEqual([false, false, true]);
    expect(type('show sessions')).toBe(
      'Conn Host                Address             Byte  Idle Conn Name\n' +
        '*  1 backup              10.10.10.2             0     0 backup\n\n',
    );
    expect(type('where')).toBe(type('show sessions'));
  });

  test('resume goes on where it was, with the last one or the one that is named', () => {
    type('telnet 10.10.10.5');
    calls[1]!.open();
    session.suspend();
    expect(type('resume 1')).toBe('[Resuming connection 1 to backup ... ]\n');
    expect(calls.map((c) => c.held)).toEqual([false, true]);
    calls[0]!.data('hello');
    expect(screen).toContain('hello');
    session.suspend();
    expect(type('resume')).toContain('connection 1 to backup');
    session.suspend();
    expect(type('resume 7')).toBe('% Not an open connection\n');
  });

  test('disconnect closes it, when confirmed', () => {
    type('disconnect', 'n');
    expect(calls[0]!.isClosed).toBe(false);
    session.execute('disconnect 1');
    expect(session.prompt).toBe('Closing connection to backup [confirm]');
    session.execute('');
    expect([calls[0]!.isClosed, type('where')]).toEqual([true, '% No connections open\n']);
  });

  test('the end of the session is the end of its connections', () => {
    session.close();
    expect(calls[0]!.isClosed).toBe(true);
  });
});

test('one that is not open yet is given up', () => {
  type('telnet 10.10.10.2');
  session.suspend();
  expect([calls[0]!.isClosed, failed, screen]).toEqual([true, false, 'Trying 10.10.10.2 ... \n']);
});
