/** The Debian package, looked into with Debian's own tools. scripts/deb-test installs and runs it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Folder, ROOT } from './support.js';

const folder = new Folder();
let deb: string;

/** Makes the package. Without its Node, which is npm's and big. @returns its path */
function make(name: string): string {
  const output = join(folder.path, name);
  const done = run('scripts/deb', ['--fast', '--node', 'system', '--version', '1.2.3', '--output', output]);
  expect(done.stderr).toBe('');
  return join(output, readdirSync(output)[0]!);
}

function run(program: string, args: readonly string[]): { stdout: string; stderr: string } {
  const done = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1e8 });
  if (done.error !== undefined) throw done.error;
  return {
    stdout: done.stdout,
    stderr: `${done.stderr}${done.status === 0 ? '' : `exit code ${String(done.status)}`}`,
  };
}

/** The files of the package by their path. */
function contents(): Map<string, { mode: string; owner: string }> {
  const lines = run('dpkg-deb', ['--contents', deb]).stdout.trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const [mode, owner, , , , path] = line.split(/\s+/);
      return [path!.slice(1), { mode: mode!, owner: owner! }];
    }),
  );
}

/** What the package puts under a folder of its own. */
const unpacked = join(folder.path, 'unpacked');

beforeAll(() => {
  deb = make('first');
  mkdirSync(unpacked);
  expect(run('dpkg-deb', ['--raw-extract', deb, unpacked]).stderr).toBe('');
}, 300_000);
afterAll(() => {
  folder[Symbol.dispose]();
});
const text = (path: string): string => readFileSync(join(unpacked, path), 'utf8');

describe('the package', () => {
  test('is named as it was asked to be, and needs what the program calls', () => {
    expect(deb).toMatch(/fw3640_1\.2\.3_(amd64|arm64)\.deb$/);
    const field = (name: string): string => run('dpkg-deb', ['--field', deb, name]).stdout.trim();
    expect(field('Version')).toBe('1.2.3');
    for (const needed of ['libc6 (>=', 'libstdc++6', 'nodejs (>= 20)', 'adduser', 'iproute2', 'iptables', 'kmod'])
      expect(field('Depends')).toContain(needed);
    expect(Number(field('Installed-Size'))).toBeGreaterThan(1000);
  });

  test('has the program, the units, the papers and the completions where Debian has them', () => {
    const paths = [...contents().keys()];
    for (const path of [
      '/usr/bin/fw3640',
      '/usr/lib/fw3640/dist/main.js',
      '/usr/lib/fw3640/dist/data/worker.js',
      '/usr/lib/fw3640/native/build/libfwq.so',
      '/usr/lib/fw3640/node_modules/ffi-napi/build/Release/ffi_bindings.node',
      '/usr/lib/fw3640/packaging/prepare',
      '/usr/lib/systemd/system/fw3640.service',
      '/usr/lib/systemd/system/fw3640-closed.service',
      '/usr/share/man/man8/fw3640.8.gz',
      '/usr/share/man/man5/fw3640.cfg.5.gz',
      '/usr/share/bash-completion/completions/fw3640',
      '/usr/share/zsh/vendor-completions/_fw3640',
      '/usr/share/doc/fw3640/copyright',
      '/usr/share/doc/fw3640/docs/operate.md',
      '/usr/share/doc/fw3640/config/3640.cfg',
    ])
      expect(paths).toContain(path);
    expect(paths.filter((path) => !/^\/(usr|etc)?(\/|$)/.test(path))).toEqual([]);
  });

  test('has no tests, sources or types of the modules', () => {
    const odd = [...contents().keys()].filter((path) => /\.(ts|c|h|cc|md|map|gyp)$|\/(test|tests|docs)\//.test(path));
    expect(odd.filter((path) => !path.startsWith('/usr/share/doc/fw3640/'))).toEqual([]);
  });

  test('belongs to root, is writable by nobody else, and only programs are executable', () => {
    for (const [path, { mode, owner }] of contents()) {
      expect(`${path} ${owner}`).toBe(`${path} root/root`);
      expect(`${path} ${mode}`).toMatch(/ (drwxr-xr-x|-rwxr-xr-x|-rw-r--r--)$/);
      if (mode === '-rwxr-xr-x') expect(readFileSync(join(unpacked, path)).subarray(0, 2).toString()).toBe('#!');
    }
  });

  test('keeps the settings of the box as a conffile, and has no configuration of a router', () => {
    expect(text('DEBIAN/conffiles')).toBe('/etc/fw3640/fw3640.env\n');
    expect(text('etc/fw3640/fw3640.env')).toContain('FW3640_INTERFACES=""');
    expect([...contents().keys()].filter((path) => path.startsWith('/etc/'))).toEqual([
      '/etc/',
      '/etc/fw3640/',
      '/etc/fw3640/fw3640.env',
    ]);
  });

  test('says each file with its sum', () => {
    const sums = text('DEBIAN/md5sums').trimEnd().split('\n');
    const files = [...contents()].filter(([path, { mode }]) => mode.startsWith('-') && path.startsWith('/usr/'));
    expect(sums.map((line) => line.slice(34)).sort()).toEqual(files.map(([path]) => path.slice(1)).sort());
    for (const line of sums.slice(0, 20))
      expect(line.slice(0, 32)).toBe(
        createHash('md5')
          .update(readFileSync(join(unpacked, line.slice(34))))
          .digest('hex'),
      );
  });

  test('names nothing of the machine that made it', () => {
    const found = spawnSync('grep', ['-rlF', '-e', ROOT, '-e', '/usr/local/', unpacked], { encoding: 'utf8' });
    expect(
      found.stdout
        .replaceAll(unpacked, '')
        .split('\n')
        .filter((path) => !path.startsWith('/usr/share/doc/') && path !== ''),
    ).toEqual(ONLY_PATHS_TO_LOOK_IN);
    expect(spawnSync('grep', ['-rlF', ROOT, unpacked], { encoding: 'utf8' }).stdout).toBe('');
  });

  test('has maintainer scripts that a plain sh reads', () => {
    for (const script of [
      'DEBIAN/postinst',
      'DEBIAN/prerm',
      'DEBIAN/postrm',
      'usr/lib/systemd/system-generators/fw3640-generator',
      'usr/bin/fw3640',
    ])
      expect(run('sh', ['-n', join(unpacked, script)]).stderr).toBe('');
  });

  test('enables and starts nothing by itself', () => {
    expect(text('DEBIAN/postinst')).not.toMatch(/systemctl[^\n]*\b(enable|start)\b|invoke start/);
  });

  test('is the same to the byte when it is made again', () => {
    const sum = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
    expect(sum(make('second'))).toBe(sum(deb));
  }, 300_000);
});

/** Files that look for what an administrator has put there. */
const ONLY_PATHS_TO_LOOK_IN = ['/usr/lib/fw3640/packaging/closed', '/usr/lib/fw3640/packaging/prepare'];

describe('its generator', () => {
  test.each([
    {
      settings: 'FW3640_INTERFACES="--interface Ethernet2/0=eth1 --interface=Ethernet2/1=eth2"',
      devices: ['eth1', 'eth2'],
    },
    { settings: 'FW3640_INTERFACES=""', devices: [] },
  ])('has the service wait for $devices', ({ settings, devices }) => {
    const out = join(folder.path, `generated-${devices.length}`);
    const env = join(folder.path, 'env');
    spawnSync('sh', ['-c', 'printf "%s\\n" "$1" >"$2"; mkdir -p "$3"', 'sh', settings, env, out]);
    const generator = join(unpacked, 'usr/lib/systemd/system-generators/fw3640-generator');
    const done = spawnSync('sh', [generator, out, out, out], {
      env: { ...process.env, FW3640_ENV: env },
      encoding: 'utf8',
    });
    expect(done.stderr).toBe('');
    const written = spawnSync('cat', [join(out, 'fw3640.service.d/interfaces.conf')], { encoding: 'utf8' }).stdout;
    expect([...written.matchAll(/-net-devices-(\w+)\.device/g)].map(([, name]) => name)).toEqual([
      ...devices,
      ...devices,
    ]);
  });
});
