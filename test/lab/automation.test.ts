/**
 * Scripts written for a real 3640 read this router: what `show` prints amid live traffic goes through the public TextFSM
 * templates for cisco_ios, and the fields they find are what is really there. Names of fields are the templates'.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { type Host, Lab } from './support/lab.js';
import { smtpServer } from './support/smtp-server.js';
import { type Connection, connectTcp, openTcp, TcpServer } from './support/tcp.js';
import { parseShow, type Row, whyNoTemplates } from './support/textfsm.js';

const COMMANDS = [
  'show ip nat translations',
  'show access-lists',
  'show ip access-lists',
  'show interfaces',
  'show ip interface',
  'show ip interface brief',
  'show ip route',
  'show ip arp',
  'show version',
  'show clock',
  'show processes cpu',
  'show logging',
  'show interfaces description',
  'show inventory',
  'show ip route summary',
  'show aliases',
  'show processes memory sorted',
  'dir',
] as const;

const CLIENT = '172.22.1.10';
const MAIL = '172.22.1.110';
const PINGS = 3;

/** PAT for the second host, lists with every form of entry that the templates know, routes of each kind. */
const LINES = `
access-list 101 permit tcp any 172.22.1.0 0.0.0.255 established
access-list 101 permit icmp any 172.22.1.0 0.0.0.255 echo
access-list 101 permit udp host 172.22.1.10 range 1024 65535 any eq domain log
access-list 101 permit tcp any gt 1023 any range ftp-data ftp
access-list 101 deny ip any any log
access-list 1 permit 10.10.10.5
access-list 1 permit 10.10.20.0 0.0.0.255
access-list 1 deny any log
ip nat inside source list 1 interface Ethernet2/0 overload
ip access-list extended FROM-INSIDE
 permit tcp 10.10.10.0 0.0.0.255 any range 8000 8100
 permit icmp any any
ip route 192.168.6.0 255.255.255.0 10.10.10.2
ip route 192.168.6.0 255.255.255.0 10.10.10.5
ip route 10.20.0.0 255.255.0.0 10.10.10.5 20
logging buffered 8192 notifications
end`;

const missing = whyNoTemplates();
const title = 'the public templates find, amid live traffic,';
describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, () => {
  let lab: Lab;
  let parsed: Record<(typeof COMMANDS)[number], Row[] | string>;
  let web: Connection; // as its server has it

  beforeAll(async () => {
    lab = Lab.up();
    const config = configVariant(
      lab,
      ['service timestamps log datetime msec', 'service timestamps log uptime'],
      ['ip nat inside source static 10.10.10.5 172.22.1.111', '!'],
      [' ip inspect IN-OUT in', ' ip inspect IN-OUT in\n ip access-group FROM-INSIDE in\n description to the servers'],
      ['end', LINES.trim()],
    );
    const router = await Fw3640.start(lab, { config });
    await smtpServer(lab);
    const mail = await openTcp(lab, 'outside', MAIL, 25);
    mail.write('EXPN root\r\n');
    await mail.receive(/\r\n500 /);
    const webServer = await TcpServer.listen(lab, 'outside', 8080, (c) => c.write('hello\n'));
    const browser = await openTcp(lab, 'inside2', CLIENT, 8080);
    await browser.receive(/hello/);
    web = await webServer.connection(1);
    lab.run('outside', 'ping', ['-c', String(PINGS), '-i0.2', '-W2', MAIL]);
    await (await connectTcp(lab, 'outside', MAIL, 81)).gone();
    await router.logged('%SEC-6-IPACCESSLOGP');
    router.console('copy running-config flash:kept.cfg');
    const outputs = COMMANDS.map((command) => [command, router.console('enable', command)]);
    parsed = parseShow(Object.fromEntries(outputs) as Record<(typeof COMMANDS)[number], string>);
  });
  afterAll(() => lab.down());

  /** The rows of a command that have these values; fails with why the template rejects the output, if it does. */
  const rows = (command: (typeof COMMANDS)[number], where: Row = {}): Row[] => {
    const found = parsed[command];
    if (typeof found === 'string') throw new Error(`${command}: ${found}`);
    return found.filter((row) => Object.entries(where).every(([field, value]) => row[field] === value));
  };
  /** One column of a command's rows. */
  const column = (command: (typeof COMMANDS)[number], field: string): unknown[] => rows(command).map((r) => r[field]);
  /** A host's hardware address as IOS prints it. */
  const mac = (host: Host, device = 'eth0'): string =>
    (/link\/ether (\S+)/.exec(lab.run(host, 'ip', ['link', 'show', device]))?.[1] ?? '')
      .replaceAll(':', '')
      .replace(/(.{4})(?=.)/g, '$1.');
  const portOf = (peer: string): string => peer.slice(peer.lastIndexOf(':') + 1);
  /** The client's own port, from the kernel that chose it. */
  const clientPort = (): string =>
    /:(\d+)\s+172\.22\.1\.110:25/.exec(lab.run('outside', 'ss', ['-Htn', 'dst', `${MAIL}:25`]))?.[1] ?? '';

  test('translations: static, its extended entry, PAT', () => {
    const both = (address: string, port: string): Row => ({
      outside_local_ip: address,
      outside_local_port: port,
      outside_global_ip: address,
      outside_global_port: port,
    });
    const inside = (global: string, globalPort: string, local: string, localPort: string): Row => ({
      inside_global_ip: global,
      inside_global_port: globalPort,
      inside_local_ip: local,
      inside_local_port: localPort,
    });
    const pat = portOf(web.peer);
    expect(rows('show ip nat translations')).toEqual([
      { protocol: 'tcp', ...inside(MAIL, '25', '10.10.10.2', '25'), ...both(CLIENT, clientPort()) },
      { protocol: '---', ...inside(MAIL, '', '10.10.10.2', ''), ...both('---', '') },
      { protocol: 'tcp', ...inside('172.22.1.16', pat, '10.10.10.5', pat), ...both(CLIENT, '8080') },
    ]);
  });

  test('access lists: every part of every entry, and how often it matched', () => {
    const entry = (acl_name: string, line_num: string): Row => {
      const [row, ...more] = rows('show ip access-lists', { acl_name, line_num });
      expect(more).toEqual([]);
      return Object.fromEntries(
        Object.entries(row ?? {}).filter(([field, v]) => v !== '' && !/^acl_|^line/.test(field)),
      );
    };
    const network = { dst_network: '172.22.1.0', dst_wildcard: '0.0.0.255' };
    const any = { src_any: 'any', dst_any: 'any' };
    const permit = (protocol: string, ...parts: Row[]): Row =>
      Object.assign({ action: 'permit', protocol }, ...parts) as Row;
    expect(entry('101', '10')).toEqual(
      permit('tcp', { src_any: 'any', dst_host: MAIL, dst_port_match: 'eq', dst_port: 'smtp', matches: '1' }),
    );
    expect(entry('101', '20')).toEqual(permit('tcp', { src_any: 'any', tcp_flag: 'established' }, network));
    expect(entry('101', '30')).toEqual(
      permit('icmp', { src_any: 'any', icmp_type: 'echo', matches: String(PINGS) }, network),
    );
    expect(entry('101', '40')).toEqual(
      permit('udp', {
        src_host: CLIENT,
        src_port_match: 'range',
        src_port_range_start: '1024',
        src_port_range_end: '65535',
        dst_any: 'any',
        dst_port_match: 'eq',
        dst_port: 'domain',
        log: 'log',
      }),
    );
    expect(entry('101', '50')).toEqual(
      permit('tcp', any, {
        src_port_match: 'gt',
        src_port: '1023',
        dst_port_match: 'range',
        dst_port_range_start: 'ftp-data',
        dst_port_range_end: 'ftp',
      }),
    );
    expect(entry('101', '60')).toEqual({ action: 'deny', protocol: 'ip', ...any, log: 'log', matches: '1' });
    expect(entry('1', '10')).toEqual({ action: 'permit', src_host: '10.10.10.5', matches: '1' });
    expect(entry('1', '20')).toEqual({ action: 'permit', src_network: '10.10.20.0', src_wildcard: '0.0.0.255' });
    expect(entry('1', '30')).toEqual({ action: 'deny', src_any: 'any', log: 'log' });
    // Echo replies come from inside: this rule of inspection opens no session for a ping from outside.
    expect(entry('FROM-INSIDE', '20')).toEqual(permit('icmp', any, { matches: String(PINGS) }));
    expect(rows('show ip access-lists', { acl_type: 'Standard', acl_name: '1' })).toHaveLength(4); // and its heading
    // The older template for the same lines looks less closely.
    expect(rows('show access-lists', { name: '101', sn: '10' })[0]).toMatchObject({
      action: 'permit',
      protocol: 'tcp',
      source: 'any',
      destination: `host ${MAIL}`,
      modifier: 'eq smtp',
    });
    expect(rows('show access-lists', { name: '1', sn: '20' })[0]?.source).toBe('10.10.20.0, wildcard bits 0.0.0.255');
    expect(rows('show access-lists')).toHaveLength(6 + 3 + 2);
  });

  test('interfaces: state, addresses, figures, counters', () => {
    const counter = (device: string, way: string): number =>
      Number(lab.run('router', 'cat', ['/proc/net/dev']).split('\n').find((l) => l.trim().startsWith(`${device}:`))?.trim().split(/[:\s]+/)[way === 'in' ? 2 : 10]); // prettier-ignore
    const seen = { outside: 'Ethernet2/0', inside: 'Ethernet2/1' } as const;
    for (const [device, name] of Object.entries(seen)) {
      const hardware = mac('router', device);
      const [row] = rows('show interfaces', { interface: name });
      expect(row).toMatchObject({
        link_status: 'up',
        protocol_status: 'up',
        hardware_type: 'AmdP2',
        address: hardware,
        bia: hardware,
        description: device === 'inside' ? 'to the servers' : '',
        ip_address: device === 'inside' ? '10.10.10.1/24' : '172.22.1.16/24',
        mtu: '1500',
        bandwidth: '10000 Kbit',
        delay: '1000 usec',
        encapsulation: 'ARPA',
        queue_strategy: 'fifo',
        input_errors: '0',
        crc: '0',
        output_errors: '0',
      });
      expect(row?.last_input).toMatch(/^00:00:\d\d$/);
      for (const way of ['in', 'out']) {
        const packets = Number(row?.[way === 'in' ? 'input_packets' : 'output_packets']);
        expect(packets).toBeGreaterThan(2 * PINGS);
        expect(packets).toBeLessThanOrEqual(counter(device, way));
      }
    }
    expect(rows('show interfaces', { interface: 'Serial2/0' })[0]).toMatchObject({
      link_status: 'administratively down',
      protocol_status: 'down',
      hardware_type: 'PowerQUICC Serial',
      address: '',
      ip_address: '',
      input_packets: '0',
      abort: '0',
    });
    expect(rows('show ip interface brief')).toEqual([
      { intf: 'Ethernet2/0', ipaddr: '172.22.1.16', status: 'up', proto: 'up' },
      { intf: 'Serial2/0', ipaddr: 'unassigned', status: 'administratively down', proto: 'down' },
      { intf: 'Ethernet2/1', ipaddr: '10.10.10.1', status: 'up', proto: 'up' },
    ]);
    expect(column('show ip interface', 'intf')).toEqual(['Ethernet2/0', 'Serial2/0', 'Ethernet2/1']);
    expect(column('show ip interface', 'inbound_acl')).toEqual(['101', '', 'FROM-INSIDE']);
    expect(column('show ip interface', 'ipaddr')).toEqual([['172.22.1.16'], [], ['10.10.10.1']]);
    expect(column('show ip interface', 'mask')).toEqual([['24'], [], ['24']]);
    expect(column('show ip interface', 'mtu')).toEqual(['1500', '', '1500']);
  });

  test('routes: connected, static, of two next hops, default', () => {
    const found = rows('show ip route').map((r) =>
      ['protocol', 'network', 'mask', 'distance', 'nexthop_ip', 'nexthop_if']
        .map((field) => r[field])
        .join(' ')
        .trim(),
    );
    expect(found).toEqual([
      'C 172.22.1.0 24   Ethernet2/0',
      'C 10.10.10.0 24   Ethernet2/1',
      'S 10.20.0.0 16 20 10.10.10.5',
      'S 192.168.6.0 24 1 10.10.10.2',
      'S 192.168.6.0 24 1 10.10.10.5',
      'S 0.0.0.0 0 1 172.22.1.1',
    ]);
  });

  test('neighbours: the hosts and the router itself', () => {
    const learned = (address: string): unknown =>
      rows('show ip arp', { address, protocol: 'Internet', type: 'ARPA' }).map((r) => [r.mac, r.interface, r.age]);
    expect(learned(CLIENT)).toEqual([[mac('outside'), 'Ethernet2/0', '0']]);
    expect(learned('10.10.10.2')).toEqual([[mac('inside'), 'Ethernet2/1', '0']]);
    expect(learned('10.10.10.5')).toEqual([[mac('inside2'), 'Ethernet2/1', '0']]);
    expect(learned(MAIL)).toEqual([[mac('router', 'outside'), 'Ethernet2/0', '-']]);
  });

  test('version, clock, processor', () => {
    expect(rows('show version')).toMatchObject([
      {
        software_image: 'FW3640-JS-M',
        version: '12.3',
        release: 'fc1',
        hostname: '3640-123',
        uptime_minutes: expect.stringMatching(/^\d$/) as string,
        reload_reason: 'power-on',
        hardware: ['3640'],
        config_register: '0x2102',
      },
    ]);
    const [clock] = rows('show clock');
    const { year, month, day, time, timezone } = clock ?? {};
    expect(Math.abs(Date.parse(`${day} ${month} ${year} ${time} ${timezone}`) - Date.now())).toBeLessThan(60_000); // eslint-disable-line @typescript-eslint/restrict-template-expressions
    expect(rows('show processes cpu')).toMatchObject([
      { interrupts: '0', cpu_5_sec: expect.stringMatching(/^\d+$/) as string },
    ]);
  });

  test('the router itself: descriptions, modules, memory, files, aliases, counts of routes', () => {
    expect(rows('show interfaces description')).toEqual([
      { port: 'Et2/0', status: 'up', protocol: 'up', descrip: '' },
      { port: 'Se2/0', status: 'admin down', protocol: 'down', descrip: '' },
      { port: 'Et2/1', status: 'up', protocol: 'up', descrip: 'to the servers' },
    ]);
    expect(column('show inventory', 'name')).toEqual(['3640 chassis', 'Two port Ethernet']);
    expect(rows('show ip route summary', { route_source: 'static' })[0]).toMatchObject({ networks: '2', subnets: '1' });
    expect(rows('show ip route summary', { route_source: 'Total' })[0]).toMatchObject({ networks: '4', subnets: '3' });
    expect(rows('show aliases', { alias: 'un' })).toEqual([{ mode: 'Exec mode', alias: 'un', command: 'undebug' }]);
    expect(rows('show processes memory sorted')).toMatchObject([{ process: ['IP Input'] }]);
    expect(rows('dir', { name: 'kept.cfg' })).toMatchObject([
      { file_system: 'flash:/', permissions: '-rw-', size: expect.stringMatching(/^\d{4}$/) as string },
    ]);
  });

  test('the log: one row a message', () => {
    const logged = (mnemonic: string): Row | undefined => rows('show logging', { mnemonic })[0];
    expect(logged('RESTART')).toMatchObject({ facility: 'SYS', severity: '5', message: ['System restarted --'] });
    expect(logged('SMTP_INVALID_COMMAND')).toMatchObject({ facility: 'FW', severity: '4' });
    expect(logged('SMTP_INVALID_COMMAND')?.message?.[0]).toContain(`(${CLIENT}:${clientPort()})`);
    expect(logged('SMTP_INVALID_COMMAND')?.time).toMatch(/^00:00:\d\d$/);
    // A checkout in root's own folder has one more: the data plane cannot be another user there.
    expect(rows('show logging').filter((r) => r.facility !== 'FW3640').length).toBe(2);
  });
});
