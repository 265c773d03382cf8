import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConsoleSession } from '../../src/ios/exec/session.js';
import { VtyServer } from '../../src/io/vty-server.js';
import { fakeRouter } from '../ios/support/fake-router.js';
import type { FakeRouter } from '../ios/support/fake-router.js';

const DELAY = 60; // ms, instead of a second

let server: VtyServer;
let router: FakeRouter;
const calls: Call[] = [];

/** A telnet client that negotiates nothing. */
class Call {
  text = '';
  bytes: number[] = [];
  closed = false;
  readonly socket: Socket;
  constructor(localAddress = '127.0.0.1') {
    this.socket = connect({ port: server.port, host: '127.0.0.1', localAddress });
    this.socket.on('data', (d) => {
      this.bytes.push(...d);
      this.text += d.toString('latin1');
    });
    this.socket.on('close', () => (this.closed = true));
    this.socket.on('error', () => undefined);
    calls.push(this);
  }
  type(keys: string | number[]): void {
    this.socket.write(typeof keys === 'string' ? keys : Buffer.from(keys));
  }
  async until(done: (call: Call) => boolean): Promise<string> {
    const deadline = Date.now() + 3000;
    while (!done(this)) {
      if (Date.now() > deadline) throw new Error(`not seen; the screen is:\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const shown = this.text;
    this.text = '';
    return shown;
  }
  ends(end: string): Promise<string> {
    const tail = new RegExp(`${end.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?:.\\[\\d*[A-Za-z])*$`, 's');
    return this.until((c) => tail.test(c.text));
  }
}

async function start(lines: string): Promise<void> {
  router = fakeRouter(`hostname r1\nenable secret 5 $1$abcd$2mQDqBIl1k7TLjiPHnxJe/\n${lines}\nend\n`);
  server = await VtyServer.listen('0', router, DELAY);
}

afterEach(() => {
  for (const c of calls.splice(0)) c.socket.destroy();
  server.close();
});

describe('login with the line password', () => {
  beforeEach(() => start('line vty 0 4\n password 7 121A0C0411045D5679\n login'));

  test('asks for the password only, and lets the right one into user EXEC', async () => {
    const call = new Call();
    expect(await call.ends('Password: ')).toContain('\r\nUser Access Verification\r\n\r\n');
    call.type('cisco123\r');
    expect(await call.ends('r1>')).not.toContain('cisco123');
  });

  test('answers a wrong password late, and hangs up after the third', async () => {
    const call = new Call();
    await call.ends('Password: ');
    for (let i = 0; i < 2; i++) {
      const asked = performance.now();
      call.type('guess\r');
      await call.ends('Password: ');
      expect(performance.now() - asked).toBeGreaterThan(DELAY * 0.9);
    }
    call.type('guess\r');
    await call.until((c) => c.closed && c.text.includes('% Bad passwords'));
  });

  test('gives each caller a line of its own, five in all', async () => {
    const five = Array.from({ length: 5 }, () => new Call());
    for (const call of five) await call.ends('Password: ');
    const sixth = new Call();
    await sixth.until((c) => c.closed);
    expect(sixth.text).toBe('');
    five[2]!.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await new Call().ends('Password: ');
  });

  test('Enter may come as CR, CR LF or CR NUL; telnet options are refused and not taken for text', async () => {
    for (const enter of [[13], [13, 10], [13, 0]]) {
      const call = new Call();
      await call.ends('Password: ');
      call.type([255, 251, 24, 255, 253, 1, ...Buffer.from('cisco123'), ...enter]); // WILL terminal-type, DO echo
      await call.ends('r1>');
      expect(call.bytes.join(' ')).toContain('255 254 24'); // DONT terminal-type
      call.socket.destroy();
    }
  });
});

test('without a password for the line nobody gets in', async () => {
  await start('line vty 0 4\n login');
  const call = new Call();
  await call.until((c) => c.closed && c.text.includes('Password required, but none set'));
});

test('login local asks for name and password, and gives the privilege of the user', async () => {
  await start('username admin privilege 15 password 0 s3cret\nline vty 0 4\n login local');
  const call = new Call();
  await call.ends('Username: ');
  call.type('admin\r');
  await call.ends('Password: ');
  call.type('wrong\r');
  expect(await call.ends('Username: ')).toContain('% Login invalid');
  call.type('admin\r');
  await call.ends('Password: ');
  call.type('s3cret\r');
  await call.ends('r1#');
  call.type('show users\r');
  expect(await call.ends('r1#')).toMatch(/\*130 vty 0 +admin +idle +00:00:00 127\.0\.0\.1\r\n/);
});

test('access-class turns callers away without a word', async () => {
  await start('access-list 7 permit 10.0.0.0 0.255.255.255\nline vty 0 4\n access-class 7 in\n no login');
  const call = new Call();
  await call.until((c) => c.closed);
  expect(call.text).toBe('');
});

test('exec-timeout closes a session in which nobody types', async () => {
  await start('line vty 0 4\n exec-timeout 0 1\n no login');
  const call = new Call();
  await call.ends('r1>');
  await call.until((c) => c.closed);
});

test.each(['1.2.3.4:99999', 'localhost:23', '23x', ''])('--vty %s is refused', async (where) => {
  await start('line vty 0 4');
  await expect(VtyServer.listen(where, router)).rejects.toThrow('ADDRESS:PORT');
});

test('a port alone means the loopback', async () => {
  await start('line vty 0 4\n no login');
  const call = new Call();
  await call.ends('r1>');
  expect(call.socket.remoteAddress).toBe('127.0.0.1');
});

describe('what is typed', () => {
  test('at a password prompt does not come back with the cursor keys', async () => {
    await start('line vty 0 4\n no login');
    const call = new Call();
    await call.ends('r1>');
    call.type('show clock\r');
    await call.ends('r1>');
    call.type('enable\r');
    await call.ends('Password: ');
    call.type('n0t-the-secret\r');
    await call.ends('Password: ');
    call.type('\r');
    await call.ends('Password: ');
    call.type('\r');
    await call.ends('r1>');
    call.type('\x1b[A');
    expect(await call.ends('enable')).not.toContain('n0t');
    call.type('\x1b[A');
    expect(await call.ends('show clock')).not.toContain('n0t');
  });

  test('without an end fills no memory', async () => {
    await start('line vty 0 4\n no login');
    const call = new Call();
    await call.ends('r1>');
    call.type('x'.repeat(100_000));
    call.type('\r');
    const shown = await call.until((c) => c.text.includes('Invalid input') || c.text.includes('Unknown command'));
    expect(shown.match(/x+/g)!.join('').length).toBeLessThan(3000);
  });
});

describe('a line takes no telnet call', () => {
  test.each([
    'transport input ssh',
    'transport input none',
    'no transport input',
    'no exec',
    'access-class 10 in vrf-also',
  ])('with %s', async (setting) => {
    await start(`access-list 10 permit 10.0.0.5\nline vty 0 4\n ${setting}\n no login`);
    const call = new Call();
    await call.until((c) => c.closed);
    expect(call.bytes).toEqual([]);
  });

  test('and the next one that does takes it', async () => {
    await start('line vty 0 3\n transport input ssh\n no login\nline vty 4\n transport input telnet ssh\n no login');
    await new Call().ends('r1>');
  });
});

describe('a program that reads a 3640', () => {
  /** As netmiko does it (cisco_ios_telnet): CR LF, the echo of each command, and the prompt by its text. */
  async function command(call: Call, line: string, prompt: RegExp): Promise<string> {
    call.type(`${line}\r\n`);
    const shown = await call.until((c) => c.text.startsWith(line) && prompt.test(c.text.slice(line.length)));
    return shown.slice(line.length);
  }

  test('logs in, learns the prompt, turns paging off, configures and leaves: plain characters all the way', async () => {
    await start('username admin privilege 15 password 0 s3cret\nline vty 0 4\n login local');
    const call = new Call();
    await call.until((c) => /sername:\s*$/.test(c.text));
    call.type('admin\r\n');
    expect(await call.until((c) => /assword:\s*$/.test(c.text))).toBe('admin\r\nPassword: ');
    call.type('s3cret\r\n');
    expect(await call.until((c) => /[>#]$/.test(c.text))).toBe('\r\nr1#');
    call.type('\r\n');
    expect(await call.until((c) => c.text.endsWith('#'))).toBe('\r\nr1#'); // find_prompt
    const PROMPT = /(^|\r\n)r1[^\r\n]*[>#]$/;
    expect(await command(call, 'terminal width 511', PROMPT)).toBe('\r\nr1#');
    expect(await command(call, 'terminal length 0', PROMPT)).toBe('\r\nr1#');
    const config = await command(call, 'show running-config', PROMPT);
    expect(config).toMatch(/^\r\nBuilding configuration\.\.\.\r\n[^]*\r\nend\r\n[\r\n]*r1#$/);
    expect(config).not.toContain('--More--');
    expect(await command(call, 'configure terminal', /\(config\)#$/)).toBe(
      '\r\nEnter configuration commands, one per line.  End with CNTL/Z.\r\nr1(config)#',
    );
    expect(await command(call, 'access-list 7 permit 10.0.0.5', PROMPT)).toBe('\r\nr1(config)#');
    expect(await command(call, 'end', PROMPT)).toBe('\r\nr1#');
    expect(await command(call, 'show access-lists 7', PROMPT)).toContain('permit 10.0.0.5');
    call.type('exit\r\n');
    await call.until((c) => c.closed);
    // Behind the telnet negotiation: printable characters, CR and LF.
    const text = call.bytes.slice(9);
    expect(text.filter((b) => !(b === 10 || b === 13 || (b >= 32 && b < 127)))).toEqual([]);
  });
});

describe('an idle caller', () => {
  test('hears why his login ends', async () => {
    await start('line vty 0 4\n password 0 x\n login\n timeout login response 1');
    const call = new Call();
    await call.ends('Password: ');
    await call.ends('\r\n% Password:  timeout expired!\r\n');
    await call.until((c) => c.closed);
  });

  test('who does not log in is hung up after timeout login response, and the line is free though he stays', async () => {
    await start('line vty 0 4\n password 0 x\n login\n timeout login response 1');
    const five = Array.from({ length: 5 }, () => new Call());
    for (const call of five) await call.ends('Password: ');
    // They neither read nor hang up.
    for (const call of five) call.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 1300));
    await new Call().ends('Password: ');
  });
});

describe('logins in the log', () => {
  const logged = (): string[] => router.calls.filter((c) => c.includes('SEC_LOGIN'));
  const at = 'at 21:51:35 UTC Fri Oct 18 2024';
  const caller = (user: string): string => `[user: ${user}] [Source: 127.0.0.1] [localport: 23]`;

  async function tryNames(...names: string[]): Promise<void> {
    const call = new Call();
    for (const name of names) {
      await call.ends('Username: ');
      call.type(`${name}\r`);
      await call.ends('Password: ');
      call.type('wrong\r');
    }
    await call.until((c) => c.closed || c.text.endsWith('Username: '));
  }
  const LOCAL = 'username admin password 0 s3cret\nline vty 0 4\n login local';

  test('a failed one is there without being asked for, with the name that was typed', async () => {
    await start(LOCAL);
    await tryNames('admin', 'a"\u00e9');
    expect(logged()).toEqual([
      `log 4 SEC_LOGIN-4-LOGIN_FAILED: Login failed ${caller('admin')} [Reason: Login Authentication Failed] ${at}`,
      `log 4 SEC_LOGIN-4-LOGIN_FAILED: Login failed ${caller('a\\"\\xe9')} [Reason: Login Authentication Failed] ${at}`,
    ]);
  });

  test('login on-failure log every 2, on-success log', async () => {
    await start(`login on-failure log every 2\nlogin on-success log\n${LOCAL}`);
    await tryNames('one', 'two', 'three');
    expect(logged()).toEqual([expect.stringContaining('[user: two]')]);
    const call = new Call();
    await call.ends('Username: ');
    call.type('admin\r');
    await call.ends('Password: ');
    call.type('s3cret\r');
    await call.ends('r1>');
    expect(logged().at(-1)).toBe(`log 5 SEC_LOGIN-5-LOGIN_SUCCESS: Login Success ${caller('admin')} ${at}`);
  });

  test('the line password, too', async () => {
    await start('line vty 0 4\n password 0 x\n login');
    const call = new Call();
    await call.ends('Password: ');
    call.type('y\r');
    await call.ends('Password: ');
    expect(logged()).toEqual([expect.stringContaining(`LOGIN_FAILED: Login failed ${caller('')}`)]);
  });
});

describe('callers of one address who do not log in', () => {
  test('give a line to a caller of another one, not to one of their own', async () => {
    await start('line vty 0 4\n password 0 x\n login');
    const five = Array.from({ length: 5 }, () => new Call());
    for (const call of five) await call.ends('Password: ');
    const own = new Call();
    await own.until((c) => c.closed);
    expect(five.map((c) => c.closed)).toEqual([false, false, false, false, false]);
    const other = new Call('127.0.0.2');
    await other.ends('Password: ');
    await five[0]!.until((c) => c.closed);
    expect(five.map((c) => c.closed)).toEqual([true, false, false, false, false]);
    other.type('x\r');
    await other.ends('r1>');
  });
});

describe('login block-for', () => {
  const LINES = 'username admin password 0 s3cret\nline vty 0 4\n login local';
  const said = (): string[] =>
    router.calls.filter((c) => c.includes('QUIET_MODE')).map((c) => c.replace(/^log \d /, ''));
  let now = 0;

  async function startWatched(lines: string): Promise<void> {
    await start(`${lines}\n${LINES}`);
    now = 1_000_000;
    Object.assign(router.system, { uptimeMs: () => now });
  }

  async function answer(call: Call, password: string): Promise<void> {
    await call.ends('Username: ');
    call.type('admin\r');
    await call.ends('Password: ');
    call.type(`${password}\r`);
  }

  async function fail(times: number): Promise<void> {
    const call = new Call();
    for (let i = 0; i < times; i++) await answer(call, 'guess');
    await call.until((c) => c.closed || c.text.includes('% Login invalid'));
    call.socket.destroy();
  }

  async function isRefused(from?: string): Promise<boolean> {
    const call = new Call(from);
    await call.until((c) => c.closed || c.text.endsWith('Username: '));
    const { closed } = call;
    call.socket.destroy();
    return closed;
  }

  test('so many failures within the watch window begin quiet mode, for everybody, until its time is up', async () => {
    await startWatched('login block-for 100 attempts 3 within 60');
    await fail(2);
    now += 20_000;
    expect(await isRefused()).toBe(false);
    await fail(1);
    expect(said()).toEqual([
      'SEC_LOGIN-1-QUIET_MODE_ON: Still timeleft for watching failures is 40 secs, [user: admin] [Source: 127.0.0.1] ' +
        '[localport: 23] [Reason: Login Authentication Failed] [ACL: sl_def_acl] at 21:51:35 UTC Fri Oct 18 2024',
    ]);
    expect(await isRefused()).toBe(true);
    expect(await isRefused('127.0.0.2')).toBe(true);
    now += 99_999;
    expect(await isRefused()).toBe(true);
    now += 1;
    expect(await isRefused()).toBe(false);
    expect(said().slice(1)).toEqual([
      'SEC_LOGIN-5-QUIET_MODE_OFF: Quiet Mode is OFF, because block period timed out at 21:51:35 UTC Fri Oct 18 2024',
    ]);
  });

  test('failures further apart than the window do not add up', async () => {
    await startWatched('login block-for 100 attempts 3 within 60');
    for (let i = 0; i < 5; i++) {
      await fail(1);
      now += 30_000;
    }
    expect(said()).toEqual([]);
    expect(await isRefused()).toBe(false);
  });

  test('quiet mode ends by itself, where nobody calls', async () => {
    await startWatched('login block-for 1 attempts 1 within 60');
    await fail(1);
    now += 1000;
    const deadline = Date.now() + 3000;
    while (said().length < 2 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(said().at(-1)).toContain('QUIET_MODE_OFF');
  });

  test('quiet-mode access-class lets its own in, who can log in', async () => {
    await startWatched(
      'access-list 7 permit 127.0.0.2\nlogin block-for 100 attempts 1 within 60\nlogin quiet-mode access-class 7',
    );
    await fail(1);
    expect(said()[0]).toContain('[ACL: 7]');
    expect(await isRefused()).toBe(true);
    const call = new Call('127.0.0.2');
    await answer(call, 's3cret');
    await call.ends('r1>');
  });

  test('who was asked for a password before does not get in by it, right or wrong', async () => {
    await startWatched('login block-for 100 attempts 1 within 60');
    const early = new Call();
    await early.ends('Username: ');
    early.type('admin\r');
    await early.ends('Password: ');
    await fail(1);
    early.type('s3cret\r');
    await early.until((c) => c.closed);
    expect(early.text).not.toContain('r1>');
  });

  test('a session that is logged in stays, and the console is not shut', async () => {
    await startWatched('login block-for 100 attempts 1 within 60');
    const admin = new Call();
    await answer(admin, 's3cret');
    await admin.ends('r1>');
    await fail(1);
    admin.type('show privilege\r');
    await admin.ends('r1>');
    const console = new ConsoleSession(router, 'console');
    console.greet();
    expect(console.isClosed()).toBe(false);
  });

  test('without login block-for nothing is blocked; taking it away ends quiet mode', async () => {
    await startWatched('login block-for 100 attempts 1 within 60');
    await fail(1);
    expect(await isRefused()).toBe(true);
    const console = new ConsoleSession(router, 'console', 15);
    for (const line of ['configure terminal', 'no login block-for', 'end']) console.execute(line);
    expect(await isRefused()).toBe(false);
    expect(said().at(-1)).toContain('QUIET_MODE_OFF');
    await fail(3);
    expect(await isRefused()).toBe(false);
  });

  test('show login and show login failures', async () => {
    await startWatched('login block-for 100 attempts 4 within 60');
    const console = new ConsoleSession(router, 'console', 15);
    const show = (line: string): string => console.execute(line).output;
    expect(show('show login failures')).toBe('*** No logged failed login attempts with the device.***\n');
    await fail(3);
    now += 5000;
    expect(show('show login')).toBe(
      `     A default login delay of 1 second is applied.
     No Quiet-Mode access list has been configured.

     Router enabled to watch for login Attacks.
     If more than 4 login failures occur in 60 seconds or less,
     logins will be disabled for 100 seconds.

     Router presently in Normal-Mode.
     Current Watch Window
         Time remaining: 55 seconds.
         Login failures for current window: 3.
     Total login failures: 3.
`,
    );
    expect(show('show login failures')).toBe(
      `Total failed logins: 3
Detailed information about last 50 failures

Username    SourceIPAddr    lPort Count TimeStamp
admin       127.0.0.1       23    3     21:51:35 UTC Fri Oct 18 2024
`,
    );
    await fail(1);
    now += 86_000;
    expect(show('show login')).toContain(
      '     Router presently in Quiet-Mode.\n     Will remain in Quiet-Mode for 14 seconds.\n     Denying logins from all sources.\n',
    );
  });
});

describe('a wrong password is answered late', () => {
  test('and so is a right one behind it, so that who hangs up instead of waiting learns nothing', async () => {
    await start('line vty 0 4\n password 0 x\n login');
    Object.assign(router.system, { uptimeMs: () => performance.now() });
    const hasty = new Call();
    await hasty.ends('Password: ');
    hasty.type('wrong\r');
    const next = new Call('127.0.0.2');
    await next.ends('Password: ');
    const asked = performance.now();
    next.type('x\r');
    await next.ends('r1>');
    expect(performance.now() - asked).toBeGreaterThan(DELAY * 0.3);
    const calm = new Call();
    await calm.ends('Password: ');
    await new Promise((resolve) => setTimeout(resolve, DELAY));
    const began = performance.now();
    calm.type('x\r');
    await calm.ends('r1>');
    expect(performance.now() - began).toBeLessThan(DELAY);
  });

  test('login delay says how late', async () => {
    router = fakeRouter('hostname r1\nlogin delay 1\nline vty 0 4\n password 0 x\n login\nend\n');
    server = await VtyServer.listen('0', router);
    const call = new Call();
    await call.ends('Password: ');
    const asked = performance.now();
    call.type('wrong\r');
    await call.ends('Password: ');
    expect(performance.now() - asked).toBeGreaterThan(950);
  });
});
