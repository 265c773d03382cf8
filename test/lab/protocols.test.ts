/** The inspected protocols of IN-OUT with other people's clients and servers. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab, type Finished, type Host } from './support/lab.js';
import { FtpServer, startDns, startHttp } from './support/servers.js';
import { until } from './support/until.js';
import { Wire } from './support/wire.js';

const PEER = '172.22.1.10';
const HOST = '10.10.10.5';
const HOST_GLOBAL = '172.22.1.111';
const SIZE = 3_000_000;

let lab: Lab;
let router: Fw3640;
let outsideFtp: FtpServer;
let insideFtp: FtpServer;
/** What the web server outside serves. */
let pages: string;
const content = randomBytes(SIZE);

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  lab = Lab.up();
  router = await Fw3640.start(lab, {
    config: configVariant(
      lab,
      [
        'ip inspect name OUT-IN smtp',
        'ip inspect name OUT-IN smtp\nip inspect name OUT-IN ftp\nip inspect audit-trail',
      ],
      [
        'access-list 101 permit tcp any host 172.22.1.110 eq smtp',
        [
          'access-list 101 permit tcp any host 172.22.1.110 eq smtp',
          `access-list 101 permit tcp any host ${HOST_GLOBAL} eq ftp`,
          'access-list 101 permit tcp any host 172.22.1.110 eq www',
        ].join('\n'),
      ],
    ),
  });
  outsideFtp = await FtpServer.start(lab, 'outside');
  insideFtp = await FtpServer.start(lab, 'inside2');
  pages = await startHttp(lab, 'outside');
  for (const server of [outsideFtp, insideFtp]) writeFileSync(join(server.files, 'data.bin'), content);
});
afterAll(() => lab.down());

const curl = (from: Host, ...args: string[]): Finished => lab.exec(from, 'curl', ['-sS', '--max-time', '20', ...args]);

describe.each([
  { name: 'from inside', from: 'inside2' as const, url: `ftp://${PEER}`, server: () => outsideFtp, client: HOST },
  {
    name: 'from outside',
    from: 'outside' as const,
    url: `ftp://${HOST_GLOBAL}`,
    server: () => insideFtp,
    client: PEER,
  },
])('FTP $name', ({ name, from, url, server, client }) => {
  test.each([
    ['EPSV', []],
    ['PASV', ['--disable-epsv', '--no-ftp-skip-pasv-ip']],
    ['EPRT', ['--ftp-port', '-']],
    ['PORT', ['--ftp-port', '-', '--disable-eprt']],
  ])('curl by %s fetches and stores every byte', async (mode, args) => {
    const got = join(lab.folder, `got-${mode}`);
    const fetched = curl(from, ...args, '-o', got, `${url}/data.bin`);
    expect(fetched.code, fetched.stderr).toBe(0);
    expect(hash(readFileSync(got))).toBe(hash(content));
    await router.logged('%FW-6-SESS_AUDIT_TRAIL', new RegExp(`Stop ftp-data session: .*sent ${SIZE} bytes`));
    const stored = `${name.replace(' ', '-')}-${mode}`;
    const upload = curl(from, ...args, '-T', got, `${url}/incoming/${stored}`);
    expect(upload.code, upload.stderr).toBe(0);
    expect(hash(readFileSync(join(server().uploads, stored)))).toBe(hash(content));
  });

  test.each(['on', 'off'])('lftp with passive mode %s: several transfers in one session', (passive) => {
    const target = join(lab.folder, `lftp-${from}-${passive}`);
    const stored = `lftp-${from}-${passive}`;
    const script = [
      `set net:timeout 8; set net:max-retries 1; set ftp:passive-mode ${passive}; set ftp:fix-pasv-address no`,
      `open ${url}`,
      'ls',
      `get data.bin -o ${target}`,
      `put ${target} -o incoming/${stored}`,
      'ls incoming',
    ];
    const done = lab.exec(from, 'lftp', ['-c', script.join('; ')]);
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout).toContain(stored);
    expect(hash(readFileSync(target))).toBe(hash(content));
    expect(hash(readFileSync(join(server().uploads, stored)))).toBe(hash(content));
  });

  test('the audit trail names the client as initiator of the control connection', async () => {
    await router.logged('%FW-6-SESS_AUDIT_TRAIL', new RegExp(`Stop ftp session: initiator \\(${client}:`));
  });
});

test('the outside sees no inside local address in an FTP dialogue, and gets the numbers it acknowledges', async () => {
  const wire = await Wire.tap(lab, 'outside', 'eth0', 'tcp port 21');
  curl('inside2', '--ftp-port', '-', '--disable-eprt', '-o', '/dev/null', `ftp://${PEER}/data.bin`);
  const packet = await wire.packet('PORT', (p) => Buffer.from(p).toString('latin1').includes('PORT '));
  const text = Buffer.from(packet).toString('latin1');
  expect(text).toContain('PORT 172,22,1,111,');
  expect(text).not.toContain('10,10,10,5');
  await wire.close();
});

describe('DNS', () => {
  const dig = (...args: string[]): Finished =>
    lab.exec('inside2', 'dig', ['+time=2', '+tries=1', '+short', `@${PEER}`, 'mail.example.test', ...args]);

  beforeAll(() => startDns(lab, 'outside', 'mail.example.test', '192.0.2.25'));

  test('a query is answered, and its session does not stay', async () => {
    expect(dig().stdout).toBe('192.0.2.25\n');
    expect(dig('+tcp').stdout).toBe('192.0.2.25\n');
    await router.logged('%FW-6-SESS_AUDIT_TRAIL', new RegExp(`Stop udp session: initiator \\(${HOST}:\\d+\\).*:53\\)`));
    expect(router.console('show ip inspect sessions')).not.toContain(' udp ');
  });

  test('two names asked from one socket are both answered', () => {
    const done = lab.exec('inside2', 'dig', ['+time=2', '+tries=1', '+short', `@${PEER}`, 'mail.example.test', 'A', 'a.mail.example.test', 'A']); // prettier-ignore
    expect(done.stdout).toBe('192.0.2.25\n192.0.2.25\n');
  });
});

describe('HTTP', () => {
  beforeAll(() => {
    writeFileSync(join(pages, 'page.html'), content);
    writeFileSync(join(pages, 'Applet.class'), Buffer.concat([Buffer.from('cafebabe0000003400', 'hex'), content]));
  });

  test('a page arrives to the byte; its request is in the audit trail', async () => {
    const got = join(lab.folder, 'page.html');
    expect(curl('inside2', '-o', got, `http://${PEER}/page.html`).code).toBe(0);
    expect(hash(readFileSync(got))).toBe(hash(content));
    const line = await router.logged('%FW-6-SESS_AUDIT_TRAIL', /Stop http session/);
    expect(line).toMatchObject({ requests: 1, request: 'GET /page.html HTTP/1.1', initiator: HOST });
    expect(line['responderBytes']).toBeGreaterThan(SIZE);
  });

  test('a Java applet does not arrive', async () => {
    const got = join(lab.folder, 'Applet.class');
    const done = curl('inside2', '-o', got, `http://${PEER}/Applet.class`);
    expect(done.code, done.stderr).toBe(56); // the connection was reset
    expect(existsSync(got) ? readFileSync(got).length : 0).toBeLessThan(100);
    await router.logged('%FW-4-HTTP_JAVA_BLOCK', new RegExp(`from \\(${PEER}:80\\) to \\(${HOST}:\\d+\\)`));
  });

  test('a permitted server inside that no rule inspects can be reached, and is in no list', async () => {
    const served = await startHttp(lab, 'inside');
    writeFileSync(join(served, 'x'), content);
    const got = join(lab.folder, 'uninspected');
    const done = curl('outside', '-o', got, 'http://172.22.1.110/x');
    expect(done.code, done.stderr).toBe(0);
    expect(hash(readFileSync(got))).toBe(hash(content));
    expect(router.console('show ip inspect sessions')).not.toContain('172.22.1.110:80');
  });
});

describe('ICMP', () => {
  test('every ping of a burst is answered', () => {
    const done = lab.exec('inside2', 'ping', ['-q', '-c', '100', '-i', '0.002', '-W', '1', PEER]);
    expect(done.stdout).toContain('100 packets transmitted, 100 received, 0% packet loss');
  });

  test('large pings, which travel in fragments, are answered', () => {
    expect(lab.exec('inside2', 'ping', ['-q', '-c', '3', '-s', '5000', '-W', '1', PEER]).stdout).toContain(
      '3 received',
    );
  });

  test.each([
    ['UDP', []],
    ['ICMP', ['-I']],
  ])('traceroute by %s sees the router and the destination', (_, args) => {
    const { stdout, stderr } = lab.exec('inside2', 'busybox', ['traceroute', '-n', '-q1', '-w2', '-m4', ...args, PEER]);
    const hops = stdout.split('\n').slice(1, -1).map((line) => line.trim().split(/\s+/)[1]); // prettier-ignore
    expect(hops, stderr).toEqual(['10.10.10.1', PEER]);
  });

  test('a port that is closed outside is reported inside', async () => {
    const done = await until('ECONNREFUSED', () => {
      const tried = lab.exec('inside2', 'dig', ['+time=1', '+tries=1', '-p', '9999', `@${PEER}`, 'x.test']);
      return /connection refused/.test(tried.stdout + tried.stderr) && tried;
    });
    expect(done.code).not.toBe(0);
  });
});

describe('debug', () => {
  let from = 0;
  /** Switches on, and looks only at what comes from now on. */
  const debug = (...switches: string[]): void => {
    router.console(...switches.map((s) => `debug ${s}`));
    from = router.log.length;
  };
  /** What one switch has printed. */
  const printed = (facility: string): string[] =>
    router.log.slice(from).flatMap((line) => (line['debug'] === facility ? [line.msg] : []));
  const prints = (facility: string, pattern: RegExp): Promise<RegExpExecArray> =>
    until(
      () => `${String(pattern)} among:\n${printed(facility).join('\n')}`,
      () => {
        for (const line of printed(facility)) {
          const found = pattern.exec(line);
          if (found !== null) return found;
        }
        return undefined;
      },
    );
  afterEach(() => void router.console('undebug all'));

  test('ftp, events, object-creation and timers: an active transfer, from its PORT to the end of its data connection', async () => {
    writeFileSync(join(outsideFtp.files, 'note.txt'), 'a few bytes\n');
    debug(...['ftp', 'events', 'object-creation', 'object-deletion', 'timers'].map((what) => `ip inspect ${what}`));
    const args = ['-Q', 'PASS opensesame', '--ftp-port', '-', '--disable-eprt', '-o', '/dev/null'];
    expect(curl('inside2', ...args, `ftp://${PEER}/note.txt`).code).toBe(0);

    await prints('ftp', /FTP-Client: PASS \*{5}~~$/);
    await prints('ftp', /FTP-Server: 226 .*~~$/);
    expect(router.process.stdout).not.toContain('opensesame');
    const [, control, port] = await prints('ftp', /^CBAC FTP sis (\w+) Handle PORT command 10\.10\.10\.5:(\d+)$/);

    await prints(
      'events',
      new RegExp(`^CBAC Pre-gen sis 62\\w+ created: ${PEER}\\[1:65535\\] ${HOST}\\[${port}:${port}\\]$`),
    );
    const ends = `initiator_addr \\(${PEER}:20\\) responder_addr \\(${HOST}:${port}\\)`;
    const seen = `initiator_alt_addr \\(${PEER}:20\\) responder_alt_addr \\(${HOST_GLOBAL}:${port}\\)`;
    const [, data] = await prints('events', new RegExp(`^CBAC sis (\\w+) ${ends} ${seen}$`));
    expect(data).not.toBe(control);

    // The data connection: handshake, established, closed on both sides, forgotten.
    await prints('timers', new RegExp(`^CBAC Timer Stop: sis ${data} `));
    const timers = printed('timers').filter((line) => line.includes(` sis ${data}`));
    expect(timers.map((line) => /Init|Stop|Time: \d+/.exec(line)![0])).toEqual([
      'Init',
      'Time: 30000',
      'Time: 3600000',
      'Time: 5000',
      'Stop',
    ]);
    expect(printed('timers').filter((line) => line.includes('Pre-gen')).map((line) => /Init|Start|Stop/.exec(line)![0])).toEqual(['Init', 'Start', 'Stop']); // prettier-ignore
    expect(printed('objectCreation')).toContain(`CBAC OBJ_CREATE: create sis ${data}`);
    expect(printed('objectDeletion')).toContain(`CBAC OBJ_DELETE: delete sis ${data}`);
  });

  test('detailed makes tcp tell more, and is silent alone', async () => {
    const folder = await startHttp(lab, 'outside', 8080);
    writeFileSync(join(folder, 'x'), 'x');
    const fetch = (): void => expect(curl('inside2', '-o', '/dev/null', `http://${PEER}:8080/x`).code).toBe(0);
    debug('ip inspect detailed');
    fetch();
    expect(router.log.slice(from).filter((line) => 'debug' in line)).toEqual([]);
    debug('ip inspect tcp');
    fetch();
    await prints('tcp', new RegExp(`^CBAC Pak \\w+ Find session for \\(${HOST}:\\d+\\) \\(${PEER}:8080\\) tcp$`));
    await prints(
      'tcp',
      /^CBAC Pak \w+ IP: s=10\.10\.10\.5 \(Ethernet2\/1\), d=172\.22\.1\.10 \(Ethernet2\/0\), len \d+, proto=6$/,
    );
    await prints('tcp', /SIS_OPEN\/ESTAB TCP seq \d+\(\d+\) Flags: ACK \d+ PSH$/);
    await prints('tcp', /--> SIS_CLOSING\/CLOSED iisn \d+ i_rcvnxt \d+ i_sndnxt \d+ i_rcvwnd \d+ risn \d+ /);
    await prints(
      'tcp',
      new RegExp(`L4 inspect result: PASS packet \\w+ \\(${PEER}:8080\\) \\(${HOST}:\\d+\\) bytes [1-9]\\d* tcp$`),
    );
    await prints('tcp', new RegExp(`TCP SA? ack \\d+ seq \\d+\\(0\\) \\(${HOST}:\\d+\\) <= \\(${PEER}:8080\\)$`));
  });

  test('http: requests, and the applet that is blocked', async () => {
    writeFileSync(join(pages, 'page'), 'x');
    writeFileSync(join(pages, 'B.class'), Buffer.from('cafebabe00000034', 'hex'));
    debug('ip inspect http', 'ip inspect detailed');
    curl('inside2', '-o', '/dev/null', `http://${PEER}/page`);
    curl('inside2', '-o', '/dev/null', `http://${PEER}/B.class`);
    await prints('http', /^CBAC HTTP sis \w+ hostile site, java-list none$/);
    await prints('http', /^CBAC HTTP sis \w+ GET \/page HTTP\/1\.1$/);
    const [, sis] = await prints('http', /^CBAC HTTP sis (\w+) GET \/B\.class HTTP\/1\.1$/);
    await prints('http', new RegExp(`^CBAC HTTP sis ${sis} Java applet, connection reset$`));
  });

  test('ip packet shows what the access list permits, without a count, also when the list changes', async () => {
    const configure = (...commands: string[]): string => router.console('configure terminal', ...commands, 'end');
    configure('access-list 150 permit icmp any any log');
    debug('ip packet 150 detail');
    expect(router.console('show debugging')).toContain('  IP packet debugging is on (detailed) for access list 150\n');
    const traffic = (): void => {
      expect(lab.exec('inside2', 'ping', ['-q', '-c', '2', '-i', '0.2', '-W', '1', PEER]).code).toBe(0);
      expect(curl('inside2', '-o', '/dev/null', `ftp://${PEER}/`).code).toBe(0);
    };
    traffic();
    await prints(
      'packet',
      /^IP: s=172\.22\.1\.10 \(Ethernet2\/0\), d=10\.10\.10\.5 \(Ethernet2\/1\), len 84, forward$/,
    );
    await prints('packet', /^ {4}ICMP type=0, code=0$/);
    expect(printed('packet').filter((line) => /^IP: /.test(line))).toHaveLength(4);
    expect(printed('packet').filter((line) => /^ {4}(?!ICMP)/.test(line))).toEqual([]);
    expect(router.console('show access-lists 150')).not.toContain('match');

    configure('no access-list 150', 'access-list 150 permit tcp any any eq ftp');
    from = router.log.length;
    traffic();
    await prints('packet', /^ {4}TCP src=\d+, dst=21, seq=\d+, ack=0, win=\d+ SYN$/);
    await prints('packet', /^ {4}TCP src=\d+, dst=21, seq=\d+, ack=\d+, win=\d+ ACK PSH$/);
    expect(printed('packet').join('\n')).not.toMatch(/ICMP|src=21,/);
    expect(router.console('show access-lists 150')).not.toContain('match');
    expect(router.log.slice(from).filter((line) => line.mnemonic.includes('IPACCESSLOG'))).toEqual([]);
  });
});
