/** `copy` from and to everywhere, with its questions; `dir`, `show flash:`, `more`, `delete`. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { runningConfig } from '../../../src/ios/config/running-config.js';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { fakeRouter, type FakeRouter } from '../support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');
let router: FakeRouter;
let session: ConsoleSession;

beforeEach(() => {
  router = fakeRouter(seed.replace(/\nend\n/, '\nip domain-name lab.test\nip host backup 10.10.10.2\nend\n'));
  router.system.interfaces = () => [];
  session = new ConsoleSession(router, 'console', 15);
});

/** Types the lines and waits for what they set going. @returns the screen from the first question on */
async function dialogue(...lines: string[]): Promise<string> {
  let screen = '';
  for (const [i, line] of lines.entries()) {
    if (i > 0) screen += `${session.prompt}${line}\n`;
    screen += session.execute(line).output;
  }
  while (session.isBusy())
    await new Promise<void>((done) =>
      session.runJob(
        (text) => (screen += text),
        () => done(),
      ),
    );
  return screen;
}

const copied = (text: string): string =>
  `${Buffer.byteLength(text)} bytes copied in 0.001 secs (${Buffer.byteLength(text) * 1000} bytes/sec)\n`;
const running = (): string => runningConfig(router.config());

describe('copy running-config', () => {
  test('tftp: asks where, and under which name', async () => {
    expect(await dialogue('copy run tftp', '10.10.10.2', '')).toBe(
      'Address or name of remote host []? 10.10.10.2\nDestination filename [3640-123-confg]? \n!!\n' +
        copied(running()),
    );
    expect(router.remote.get('tftp://10.10.10.2/3640-123-confg')).toBe(running());
  });

  test('tftp://HOST/NAME asks only for the name, by its default; the host may be one of ip host', async () => {
    expect(await dialogue('copy running-config tftp://backup/r1', '')).toBe(
      'Destination filename [r1]? \n!!\n' + copied(running()),
    );
    expect([...router.remote.keys()]).toEqual(['tftp://10.10.10.2/r1']);
  });

  test('ftp: as anonymous, as ip ftp says, as the command says', async () => {
    const urls = async (url: string): Promise<string[]> => {
      router.remote.clear();
      await dialogue(`copy run ${url}`, '');
      return [...router.remote.keys()];
    };
    expect(await urls('ftp://10.10.10.2/r1')).toEqual(['ftp://anonymous:anonymous@3640-123.lab.test@10.10.10.2/r1']);
    session.execute('conf t');
    session.execute('ip ftp username joe');
    session.execute('ip ftp password 7 0822455D0A16');
    session.execute('end');
    expect(await urls('ftp://10.10.10.2/r1')).toEqual(['ftp://joe:cisco@10.10.10.2/r1']);
    expect(await urls('ftp://ann:pw@10.10.10.2/r1')).toEqual(['ftp://ann:pw@10.10.10.2/r1']);
    expect(await dialogue('copy run ftp://ann:pw@10.10.10.2/r1', '')).toContain('Writing r1 !!\n');
  });

  test('flash: keeps what is there, unless told', async () => {
    expect(await dialogue('copy run flash:', 'one.cfg')).toContain(copied(running()));
    expect(router.flash.get('one.cfg')).toBe(running());
    session.execute('conf t');
    session.execute('hostname other');
    session.execute('end');
    expect(await dialogue('copy run flash:one.cfg', '', 'n')).toBe(
      'Destination filename [one.cfg]? \nDo you want to over write? [confirm]n\n',
    );
    expect(router.flash.get('one.cfg')).toContain('hostname 3640-123');
    await dialogue('copy run one.cfg', '', '');
    expect(router.flash.get('one.cfg')).toContain('hostname other');
  });

  test('startup-config is write memory', async () => {
    expect(await dialogue('copy run start', '')).toBe(
      'Destination filename [startup-config]? \nBuilding configuration...\n[OK]\n',
    );
  });
});

describe('copy … running-config', () => {
  const LOADED =
    'Accessing tftp://10.10.10.2/add...\nLoading add from 10.10.10.2 (via Ethernet2/1): !\n[OK - N bytes]\n\n';

  test('puts the lines on top of what is in force', async () => {
    const text = 'hostname merged\ninterface Ethernet2/0\n description outside\naccess-list 7 permit any\nend\n';
    router.remote.set('tftp://10.10.10.2/add', text);
    expect(await dialogue('copy tftp: running-config', '10.10.10.2', 'add', '')).toBe(
      'Address or name of remote host []? 10.10.10.2\nSource filename []? add\nDestination filename [running-config]? \n' +
        LOADED.replace('N', String(text.length)) +
        copied(text),
    );
    const { hostname, interfaces, accessLists } = router.config();
    expect([hostname, interfaces[0]?.description, [...accessLists.keys()]]).toEqual([
      'merged',
      'outside',
      ['101', '7'],
    ]);
    expect(interfaces[0]?.accessGroupIn).toBe('101');
    expect(router.calls).toEqual(['apply', 'log 5 SYS-5-CONFIG_I: Configured from tftp://10.10.10.2/add by console']);
  });

  test('one line with an error keeps all of them out, with the caret under it', async () => {
    router.flash.set('bad', 'hostname never\nip adress 10.0.0.1\n');
    expect(await dialogue('copy flash:bad running-config', '')).toBe(
      'Destination filename [running-config]? \n' +
        "ip adress 10.0.0.1\n     ^\n% Invalid input detected at '^' marker.\n" +
        '% 1 errors: the configuration stays as it is\n',
    );
    expect(router.config().hostname).toBe('3640-123');
    expect(router.calls).toEqual([]);
  });

  test('what somebody else types meanwhile is not lost', async () => {
    router.flash.set(
      'long',
      Array.from({ length: 400 }, (_, i) => `access-list 7 permit 10.0.${i >> 8}.${i & 255}`).join('\n'),
    );
    const other = new ConsoleSession(router, 'console', 15);
    const done = dialogue('copy flash:long running-config', '');
    await new Promise((later) => setImmediate(later));
    for (const line of ['conf t', 'hostname meanwhile']) other.execute(line);
    await done;
    expect([router.config().hostname, router.config().accessLists.get('7')?.entries.length]).toEqual([
      'meanwhile',
      400,
    ]);
  });

  test('from startup-config, where there is one', async () => {
    expect(await dialogue('copy start run', '')).toContain(
      '%Error opening nvram:/startup-config (No such file or directory)',
    );
    router.startup = 'hostname kept\nend\n';
    expect(await dialogue('copy start run', '')).toContain(copied(router.startup));
    expect(router.config().hostname).toBe('kept');
  });
});

describe('copy … startup-config', () => {
  test('writes what a restart would take, and nothing else', async () => {
    router.flash.set('good', seed);
    expect(await dialogue('copy flash:good startup-config', '')).toContain(`[OK]\n${copied(seed)}`);
    expect(router.startup).toBe(seed);
    for (const [text, why] of [
      ['bogus\nend\n', "% Line 1: Invalid input detected at '^' marker."],
      ['hostname cut', '% Line 1: The file ends before'],
    ] as const) {
      router.flash.set('bad', text);
      expect(await dialogue('copy flash:bad startup-config', '')).toContain(why);
      expect(router.startup).toBe(seed);
    }
  });
});

describe('what cannot be copied', () => {
  test.each([
    [['copy tftp: run', ''], 'Address or name of remote host []? \n% Invalid host address or name\n'],
    [['copy run run'], '%Error: source and destination cannot be of one kind\n'],
    [['copy tftp://10.0.0.1/x ftp://10.0.0.1/x'], '%Error: source and destination cannot be of one kind\n'],
    [['copy run usb:x'], '%Error parsing filename (No such device)\n'],
    [
      ['copy tftp://10.10.10.2/none run', ''],
      'Destination filename [running-config]? \nAccessing tftp://10.10.10.2/none...\n' +
        '%Error opening tftp://10.10.10.2/none (No such file or directory)\n',
    ],
    [
      ['copy flash:x run', 'y'],
      'Destination filename [running-config]? y\n%Error opening system:y (No such file or directory)\n',
    ],
  ])('%j', async (lines, screen) => expect(await dialogue(...lines)).toBe(screen));

  test('a file of an unknown host', async () =>
    expect(await dialogue('copy run tftp://nobody/x', '')).toContain('% Unrecognized host or address'));
});

test('write network is copy running-config tftp:', async () => {
  await dialogue('write network', 'backup', '');
  expect([...router.remote.keys()]).toEqual(['tftp://10.10.10.2/3640-123-confg']);
});

describe('flash:', () => {
  beforeEach(() => {
    router.flash.set('one.cfg', '!\nend\n');
    router.flash.set('two', 'x'.repeat(1030));
  });

  test('show flash:', async () => {
    expect(await dialogue('show flash')).toBe(
      '\nSystem flash directory:\nFile  Length   Name/status\n' +
        '  1         6  one.cfg\n  2      1030  two\n' +
        '[1164 bytes used, 998836 available, 1000000 total]\n' +
        '16384K bytes of processor board System flash (Read/Write)\n\n',
    );
  });

  test('dir, of flash and of NVRAM', async () => {
    expect(await dialogue('dir')).toBe(
      'Directory of flash:/\n\n' +
        '    1  -rw-           6  Jan 01 1970 00:00:00 +00:00  one.cfg\n' +
        '    2  -rw-        1030  Jan 01 1970 00:00:00 +00:00  two\n' +
        '\n1000000 bytes total (998964 bytes free)\n',
    );
    router.startup = '!\nend\n';
    expect(await dialogue('dir nvram:')).toMatch(
      /-rw- +6 +<no date> {2}startup-config\n\n129016 bytes total \(129010 /,
    );
    router.flash.clear();
    expect(await dialogue('dir flash:')).toContain('No files in directory\n');
  });

  test('more', async () => {
    expect(await dialogue('more flash:one.cfg')).toBe('!\nend\n');
    expect(await dialogue('more system:running-config')).toBe(running());
    expect(await dialogue('more flash:none')).toBe('%Error opening flash:none (No such file or directory)\n');
  });

  test('delete asks for the name, and again', async () => {
    expect(await dialogue('delete flash:two', '', '')).toBe('Delete filename [two]? \nDelete flash:two? [confirm]\n');
    expect(await dialogue('delete flash:two', '', '')).toContain(
      '%Error deleting flash:two (No such file or directory)',
    );
    await dialogue('delete one.cfg', '', 'n');
    expect([...router.flash.keys()]).toEqual(['one.cfg']);
  });
});
