import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BUFFER_DEFAULTS } from '../../src/core/capture/capture.js';
import { runCommands } from '../../src/io/console-client.js';
import { ConsoleServer } from '../../src/io/console-server.js';
import { ConsoleSession } from '../../src/ios/exec/session.js';
import type { ProbeOutcome } from '../../src/core/probe/probe.js';
import { routerUp } from '../ios/support/job.js';
import type { FakeRouter } from '../ios/support/fake-router.js';

let directory: string;
let path: string;
let router: FakeRouter;
let server: ConsoleServer;

const listen = (): Promise<ConsoleServer> =>
  ConsoleServer.listen(path, (privilege) => new ConsoleSession(router, 'console', privilege));

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'fw3640-console-'));
  path = join(directory, 'console.sock');
  router = routerUp();
  server = await listen();
});

afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

async function until(done: () => boolean): Promise<void> {
  const deadline = Date.now() + 3000;
  while (!done()) {
    if (Date.now() > deadline) throw new Error('it did not happen in three seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits for a probe, and says what comes of it. */
async function answer(outcome: ProbeOutcome): Promise<void> {
  await until(() => router.probes.length > 0);
  router.probes.shift()!.done(outcome);
}

describe('the socket', () => {
  test('is for its owner alone', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('refuses a second router while the first lives', async () => {
    await expect(listen()).rejects.toThrow('another fw3640 serves this console');
  });

  test('replaces what a dead router left', async () => {
    const dead = join(directory, 'dead.sock');
    // Bound by a process that is gone: the file stays, nobody answers.
    const bind = `require('node:net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', bind]);
    expect(statSync(dead).isSocket()).toBe(true);
    const second = await ConsoleServer.listen(dead, () => new ConsoleSession(router, 'console'));
    await expect(runCommands(dead, ['show history'], () => undefined)).resolves.toBe(0);
    second.close();
  });

  test('is removed when the router stops', () => {
    server.close();
    expect(() => statSync(path)).toThrow();
  });

  test('drops a client that does not speak its protocol', async () => {
    for (const garbage of ['nonsense\n', '[]\n', '{"mode":"root"}\n', 'x'.repeat(5000)]) {
      const socket = connect(path);
      socket.write(garbage);
      await new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined));
    }
    await expect(runCommands(path, ['show history'], () => undefined)).resolves.toBe(0);
  });
});

describe('fw3640 console -e', () => {
  async function run(...commands: string[]): Promise<{ code: number; text: string }> {
    let text = '';
    const code = await runCommands(path, commands, (part) => void (text += part));
    return { code, text };
  }

  test('prints what the command prints, and no more', async () => {
    const golden = readFileSync('test/golden/show-ip-inspect-all.txt', 'utf8');
    expect(await run('show ip inspect all')).toEqual({ code: 0, text: golden });
  });

  test('fails where IOS answers with a percent sign, the caret under the wrong character', async () => {
    expect(await run('show ip inspekt')).toEqual({
      code: 1,
      text: '3640-123#show ip inspekt\n' + '                      ^\n' + "% Invalid input detected at '^' marker.\n\n",
    });
  });

  test('configures in one session, and stops at the first refusal', async () => {
    const { code, text } = await run('conf t', 'hostname edge', 'ip inspect name OUT-IN esmtp', 'hostname never');
    expect(code).toBe(1);
    expect(text).toContain('%ESMTP cannot coexist with SMTP, please unconfigure SMTP and try again..');
    expect(router.config().hostname).toBe('edge');
  });

  test('takes the default where IOS would ask', async () => {
    expect(await run('copy running-config startup-config')).toEqual({
      code: 0,
      text: 'Destination filename [startup-config]? \nBuilding configuration...\n[OK]\n',
    });
    expect(router.startup).toContain('hostname 3640-123');
  });

  test('waits for a command that takes its time, and has the next one wait too', async () => {
    const done = run('ping 10.10.10.2 repeat 2', 'show privilege');
    await answer({ kind: 'reply', ms: 1 });
    await answer({ kind: 'timeout' });
    expect(await done).toEqual({
      code: 0,
      text:
        '\nType escape sequence to abort.\n' +
        'Sending 2, 100-byte ICMP Echos to 10.10.10.2, timeout is 2 seconds:\n' +
        '!.\nSuccess rate is 50 percent (1/2), round-trip min/avg/max = 1/1/1 ms\n' +
        'Current privilege level is 15\n',
    });
    expect((await run('ping nobody', 'show privilege')).code).toBe(1);
  });

  test('a command that reads first and then has more to do is waited for to its end', async () => {
    const settings = { ...BUFFER_DEFAULTS };
    router.captures = { buffers: [{ name: 'B', settings, packets: 0, lost: 0 }], points: [] };
    Object.assign(router, { fetch: () => Promise.resolve() });
    let text = '';
    expect(await runCommands(path, ['monitor capture buffer B export flash:b'], (t) => (text += t))).toBe(0);
    expect([text, [...router.flash.keys()]]).toEqual([expect.stringMatching(/^24 bytes copied in/), ['b']]);
  });

  test('takes the defaults of a dialogue, and the refusal where there is none', async () => {
    expect(await run('ping')).toEqual({
      code: 1,
      text: '3640-123#ping\nProtocol [ip]: \nTarget IP address: \n% Bad IP address\n',
    });
  });

  test('a question without a default is dropped when it is asked again, and the command with it', async () => {
    router.modified = true;
    const { code, text } = await run('reload', 'show privilege');
    expect(code).toBe(1);
    expect(text).toBe(
      '3640-123#reload\n\nSystem configuration has been modified. Save? [yes/no]: \n' +
        "% Please answer 'yes' or 'no'.\n",
    );
    expect(router.calls).toEqual([]);
  });

  test('reload answers before it hangs up', async () => {
    expect(await run('reload')).toEqual({ code: 0, text: 'Proceed with reload? [confirm]\n' });
    expect(router.calls).toContain('reload');
  });

  test('telnet wants a terminal', async () => {
    let closed = false;
    router.dial = () => ({ send: () => undefined, hold: () => undefined, close: () => void (closed = true) });
    const { code, text } = await run('telnet 10.10.10.2');
    expect([code, closed]).toEqual([1, true]);
    expect(text).toContain('% There is no terminal for this command\n');
  });

  test('a client that goes ends its command', async () => {
    const socket = connect(path);
    socket.write('{"mode":"commands"}\nping 10.10.10.2 repeat 1000\n');
    await answer({ kind: 'timeout' });
    await until(() => router.probes.length === 1);
    socket.destroy();
    await until(() => router.probes.length === 0);
  });

  test('says that no router runs', async () => {
    await expect(runCommands(join(directory, 'none'), ['x'], () => undefined)).rejects.toThrow('is fw3640 running?');
    writeFileSync(join(directory, 'file'), '');
    await expect(runCommands(join(directory, 'file'), ['x'], () => undefined)).rejects.toThrow('is fw3640 running?');
  });
});

describe('a terminal', () => {
  /** The screen so far; waits until it ends with `end`. */
  class Screen {
    text = '';
    readonly socket: Socket;
    constructor(rows: number) {
      this.socket = connect(path);
      this.socket.on('data', (d) => (this.text += d.toString()));
      this.socket.write(`${JSON.stringify({ mode: 'terminal', rows, columns: 80 })}\n`);
    }
    async until(end: string): Promise<string> {
      const deadline = Date.now() + 3000;
      while (!plain(this.text).endsWith(end)) {
        if (Date.now() > deadline) throw new Error(`the screen does not end with ${end}:\n${plain(this.text)}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const shown = plain(this.text);
      this.text = '';
      return shown;
    }
    type(keys: string): void {
      this.socket.write(keys);
    }
  }

  /** Without the control sequences that move the cursor. */
  const ESC = String.fromCharCode(27);
  const plain = (text: string): string =>
    text
      .replaceAll(new RegExp(`${ESC}\\[\\d*[A-Za-z]`, 'g'), '')
      .replaceAll('\r\n', '\n')
      .replaceAll('\r', '');

  async function privileged(rows = 0): Promise<Screen> {
    const screen = new Screen(rows);
    await screen.until('3640-123>');
    screen.type('enable\r');
    await screen.until('Password: ');
    screen.type('cisco123\r');
    await screen.until('3640-123#');
    return screen;
  }

  test('starts in user EXEC; enable takes the password of the configuration and does not echo it', async () => {
    const screen = new Screen(0);
    await screen.until('3640-123>');
    screen.type('en\r');
    await screen.until('Password: ');
    for (const wrong of ['a', 'b', 'c']) {
      screen.type(`${wrong}\r`);
      expect(await screen.until(wrong === 'c' ? '3640-123>' : 'Password: ')).not.toContain(
        wrong === 'a' ? 'aa' : wrong,
      );
    }
    screen.type('enable\r');
    await screen.until('Password: ');
    screen.type('cisco123\r');
    expect(await screen.until('3640-123#')).not.toContain('cisco123');
  });

  test('answers ? at once and keeps the line', async () => {
    const screen = await privileged();
    screen.type('show ip inspect ?');
    const shown = await screen.until('3640-123#show ip inspect ');
    expect(shown).toContain('  sessions    Inspection sessions\n');
    screen.type('?');
    await screen.until('3640-123#show ip inspect ');
    screen.type('se?');
    expect(await screen.until('3640-123#show ip inspect se')).toContain('\nsessions\n');
    screen.type('\x15\r');
    await screen.until('3640-123#');
  });

  test('spells words out on Tab', async () => {
    const screen = await privileged();
    screen.type('sh\t');
    await screen.until('show ');
    screen.type('ru\t');
    await screen.until('running-config ');
    screen.type('\x15\r');
    await screen.until('#');
  });

  test('stops at --More-- when the screen is full', async () => {
    const screen = await privileged(10);
    screen.type('show ip inspect all\r');
    expect((await screen.until(' --More-- ')).split('\n').length).toBe(11); // echo, nine lines, the question
    screen.type('\r');
    expect(await screen.until(' --More-- ')).toContain('Inspection name IN-OUT');
    screen.type(' ');
    await screen.until(' --More-- ');
    screen.type('q');
    await screen.until('3640-123#');
    screen.type('terminal length 0\r');
    await screen.until('3640-123#');
    screen.type('show ip inspect all\r');
    expect(await screen.until('3640-123#')).toContain('Outgoing access list is not set\n');
  });

  test('configures, with prompts that say where; Ctrl-Z ends it', async () => {
    const screen = await privileged();
    screen.type('configure terminal\r');
    await screen.until('3640-123(config)#');
    screen.type('int e2/0\r');
    await screen.until('3640-123(config-if)#');
    screen.type('ip access-group 102 in\r');
    await screen.until('3640-123(config-if)#');
    screen.type('half typed\x03');
    await screen.until('3640-123#');
    expect(router.config().interfaces[0]?.accessGroupIn).toBe('102');
    expect(router.calls.at(-1)).toBe('log 5 SYS-5-CONFIG_I: Configured from console by console');
  });

  test('carries out lines that are pasted in order and to the last, and lets others have their turn between', async () => {
    const screen = await privileged();
    const names = Array.from({ length: 2000 }, (_, i) => `h${i}`);
    screen.socket.end(`configure terminal\r${names.map((n) => `hostname ${n}\r`).join('')}`);
    const seen: string[] = [];
    while (router.config().hostname !== names.at(-1)) {
      const { hostname } = router.config();
      if (seen.at(-1) !== hostname) seen.push(hostname);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen.length).toBeGreaterThan(3);
    expect(router.calls.filter((c) => c === 'apply')).toHaveLength(names.length);
  });

  test('shows log lines but to those who want none, and what was being typed again', async () => {
    const screen = await privileged();
    screen.type('terminal monitor\r');
    expect(await screen.until('3640-123#')).toContain('% Console already monitors\n');
    screen.type('terminal no monitor\r');
    await screen.until('3640-123#');
    server.monitor('*Oct 18 21:51:35.886: not yet');
    screen.type('terminal monitor\r');
    expect(await screen.until('3640-123#')).not.toContain('% Console already monitors');
    screen.type('show ver');
    await screen.until('show ver');
    server.monitor('*Oct 18 21:51:35.886: %FW-6-SESS_AUDIT_TRAIL_START: Start tcp session');
    const shown = await screen.until('3640-123#show ver');
    expect(shown).toContain('%FW-6-SESS_AUDIT_TRAIL_START: Start tcp session\n');
    expect(shown).not.toContain('not yet');
  });

  test('telnet has every key but Ctrl-^ x, which comes back to the prompt', async () => {
    let keys = '';
    router.dial = (_address, _port, events) => {
      setImmediate(() => events.open());
      return { send: (key) => void (keys += String.fromCharCode(key)), hold: () => undefined, close: () => undefined };
    };
    const screen = await privileged();
    screen.type('telnet 10.10.10.2\r');
    await screen.until('Open\n');
    screen.type('l\x03?\t\x1ex');
    await screen.until('3640-123#');
    expect(keys).toBe('l\x03?\t');
    screen.type('show sessions\r');
    expect(await screen.until('3640-123#')).toContain('*  1 10.10.10.2 ');
  });

  describe('while a command runs', () => {
    const REPLY: ProbeOutcome = { kind: 'reply', ms: 1 };

    async function pinging(): Promise<Screen> {
      const screen = await privileged();
      screen.type('ping 10.10.10.2\r');
      await screen.until('timeout is 2 seconds:\n');
      return screen;
    }

    test('each character is printed as it comes, and then the prompt', async () => {
      const screen = await pinging();
      await answer(REPLY);
      await screen.until('!');
      for (let i = 0; i < 4; i++) await answer({ kind: 'timeout' });
      expect(await screen.until('3640-123#')).toMatch(
        /^\.\.\.\.\nSuccess rate is 20 percent \(1\/5\), .* ms\n3640-123#$/,
      );
    });

    test.each([
      ['Ctrl-^', '\x1e'],
      ['Ctrl-^ x', '\x1ex'],
      ['Ctrl-C', '\x03'],
    ])('%s ends it', async (_, keys) => {
      const screen = await pinging();
      await answer(REPLY);
      await screen.until('!');
      screen.type(keys);
      expect(await screen.until('3640-123#')).toContain('\nSuccess rate is 100 percent (1/1)');
      expect(router.probes).toEqual([]);
      screen.type('show privilege\r');
      expect(await screen.until('3640-123#')).toBe('show privilege\nCurrent privilege level is 15\n3640-123#');
    });

    test('what is typed waits for the prompt', async () => {
      const screen = await privileged();
      screen.type('ping 10.10.10.2 repeat 1\rshow privi\t\rshow cl');
      await screen.until('timeout is 2 seconds:\n');
      await answer(REPLY);
      const shown = await screen.until('3640-123#show cl');
      expect(shown).toMatch(/^!\nSuccess rate is 100 percent .*\n3640-123#show privi/);
      expect(shown).toContain('\nCurrent privilege level is 15\n3640-123#show cl');
    });

    test('log lines begin on a line of their own', async () => {
      const screen = await privileged();
      screen.type('terminal monitor\r');
      await screen.until('3640-123#');
      screen.type('ping 10.10.10.2\r');
      await answer(REPLY);
      await screen.until('!');
      server.monitor('%SYS-5-CONFIG_I: Configured');
      await answer(REPLY);
      expect(await screen.until('!')).toBe('\n%SYS-5-CONFIG_I: Configured\n!');
    });

    test('a terminal that goes away ends it', async () => {
      const screen = await pinging();
      await answer({ kind: 'timeout' });
      screen.socket.destroy();
      await until(() => router.probes.length === 0);
    });

    test('Ctrl-C leaves the questions before it', async () => {
      const screen = await privileged();
      screen.type('ping\r');
      await screen.until('Protocol [ip]: ');
      screen.type('\r');
      await screen.until('Target IP address: ');
      screen.type('10.10\x03');
      expect(await screen.until('3640-123#')).toMatch(/^10\.10.*\n3640-123#$/);
    });
  });

  test('recalls as many lines as terminal history size says', async () => {
    const screen = await privileged();
    for (const line of ['terminal history size 2', 'show clock', 'show privilege', 'show clock']) {
      screen.type(`${line}\r`);
      await screen.until('3640-123#');
    }
    screen.type('\x10'); // Ctrl-P, as the cursor key
    await screen.until('show clock');
    screen.type('\x10');
    await screen.until('show privilege');
    screen.type('\x10\r'); // there is no more
    expect(await screen.until('3640-123#')).not.toMatch(/show clock|terminal/);
    screen.type('terminal history size 0\r');
    await screen.until('3640-123#');
    screen.type('\x10\r');
    expect(await screen.until('3640-123#')).not.toContain('show');
  });

  test('exec-timeout of the console closes a session in which nobody types', async () => {
    const config = new ConsoleSession(router, 'console', 15);
    for (const line of ['configure terminal', 'line con 0', 'exec-timeout 0 1', 'end']) config.execute(line);
    const screen = new Screen(0);
    await screen.until('3640-123>');
    await new Promise((resolve) => screen.socket.on('close', resolve));
  });

  test('exit closes the session', async () => {
    const screen = await privileged();
    screen.type('exit\r');
    await new Promise((resolve) => screen.socket.on('close', resolve));
  });
});

describe('--json', () => {
  const ask = async (...commands: string[]): Promise<{ code: number; printed: [text: string, failed: boolean][] }> => {
    const printed: [string, boolean][] = [];
    const code = await runCommands(path, commands, (text, failed) => void printed.push([text, failed]), true);
    return { code, printed };
  };

  test('each command is answered by a line of JSON', async () => {
    const { code, printed } = await ask('show ip inspect sessions', 'show version');
    expect(code).toBe(0);
    expect(printed.map(([text]) => Object.keys(JSON.parse(text) as object)[0])).toEqual(['sessions', 'hostname']);
  });

  test('one that has none ends it with exit code 1, and those behind it are not sent', async () => {
    const { code, printed } = await ask('show clock', 'show version');
    expect([code, printed.length, printed[0]![1]]).toEqual([1, 1, true]);
    expect(printed[0]![0]).toContain('% There is no JSON of "show clock"');
  });
});
