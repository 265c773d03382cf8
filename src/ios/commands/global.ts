/** Global configuration: identity, services, passwords, logging, clock, banners, routes, and the way into other modes. */
import { emptyConfig, SYSLOG_PORTS } from '../config/defaults.js';
import type { ConfigEditor } from '../config/editor.js';
import { indexed } from '../config/indexed-list.js';
import type {
  LineConfig,
  Password,
  RouterConfig,
  Severity,
  StaticRoute,
  SyslogServer,
  Timestamps,
  User,
} from '../config/model.js';
import { decodeType7, encodeType7, hashSecret } from '../config/password.js';
import type { Command } from '../grammar/command.js';
import type { Match } from '../grammar/match.js';
import { formatAddress } from '../ipv4-text.js';
import { NAME_COMMANDS } from './host-names.js';

type C = Command<ConfigEditor>;

/**
 * Reads `[0|7] TEXT` of a password.
 * @returns what to store: type 7 where `service password-encryption` is on; undefined after a complaint
 */
export function readPassword(editor: ConfigEditor, m: Match): Password | undefined {
  const text = m.word('PASSWORD');
  if (m.has('7')) {
    if (decodeType7(text) !== undefined) return { type: 7, text };
    editor.refuse('Invalid encrypted password: not a type 7 password', m.column('PASSWORD'));
    return undefined;
  }
  return editor.config.passwordEncryption ? { type: 7, text: encodeType7(text) } : { type: 0, text };
}

/** Reads `[0|5] TEXT` of a secret, which is stored hashed only. */
function readSecret(editor: ConfigEditor, m: Match): Password | undefined {
  const text = m.word('SECRET');
  if (/^[4-9] /.test(text)) {
    editor.refuse(`secrets of type ${text.slice(0, 1)} (15.0 and later) are not supported`, m.column('SECRET'));
    return undefined;
  }
  if (!m.has('5')) return hashSecret(text);
  if (/^\$1\$[^$]{1,8}\$[./0-9A-Za-z]{22}$/.test(text)) return { type: 5, text };
  editor.refuse('The secret you entered is not a valid encrypted secret.', m.column('SECRET'));
  return undefined;
}

/** `service password-encryption`: what stands in clear is encoded now. */
function encryptAll(config: RouterConfig): void {
  config.passwordEncryption = true;
  const holders: { password?: Password }[] = [config.enable, ...config.users, ...config.lines];
  for (const h of holders) if (h.password?.type === 0) h.password = { type: 7, text: encodeType7(h.password.text) };
}

function timestamps(kind: 'debug' | 'log'): C[] {
  const set = (config: RouterConfig, value: Timestamps): void => void (config.timestamps[kind] = value);
  return [
    {
      syntax: `service timestamps ${kind} datetime [msec] [localtime] [show-timezone] [year]`,
      help: {
        service: 'Modify use of network based services',
        timestamps: 'Timestamp debug/log messages',
        debug: 'Timestamp debug messages',
        log: 'Timestamp log messages',
        datetime: 'Timestamp with date and time',
        msec: 'Include milliseconds in timestamp',
        localtime: 'Use local time zone for timestamps',
        'show-timezone': 'Add time zone information to timestamp',
        year: 'Include year in timestamp',
      },
      set: ({ config }, m) =>
        set(config, {
          kind: 'datetime',
          msec: m.has('msec'),
          localtime: m.has('localtime'),
          showTimezone: m.has('show-timezone'),
          year: m.has('year'),
        }),
    },
    {
      syntax: `service timestamps ${kind} [uptime]`,
      unsetSyntax: `service timestamps ${kind} [OPTIONS:LINE]`,
      help: { uptime: 'Timestamp with system uptime' },
      set: ({ config }) => set(config, { kind: 'uptime' }),
      unset: ({ config }) => set(config, { kind: 'none' }),
      reset: ({ config }) => set(config, emptyConfig().timestamps[kind]),
    },
  ];
}

function userOf(config: RouterConfig, name: string): User {
  const known = config.users.find((u) => u.name === name);
  if (known !== undefined) return known;
  const user: User = { name, privilege: 1 };
  config.users.push(user);
  return user;
}

function setUser(editor: ConfigEditor, m: Match): void {
  const password = m.has('PASSWORD') ? readPassword(editor, m) : undefined;
  const secret = m.has('SECRET') ? readSecret(editor, m) : undefined;
  if (editor.complaints.length > 0) return;
  const user = userOf(editor.config, m.word('USER'));
  if (editor.line > 0) user.line = editor.line;
  if (m.has('LEVEL')) user.privilege = m.number('LEVEL');
  if (password !== undefined) {
    user.password = password;
    delete user.secret;
  }
  if (secret !== undefined) {
    user.secret = secret;
    delete user.password;
  }
}

/** Lines of the 3640: one console, one auxiliary port, and terminal lines as they are configured. */
function lineCommand(kind: LineConfig['kind'], syntax: string, help: Record<string, string>): C {
  const range = (m: Match): [number, number] => [
    m.number('FIRST'),
    Math.max(m.optionalNumber('LAST') ?? 0, m.number('FIRST')),
  ];
  return {
    syntax,
    help: { line: 'Configure a terminal line', FIRST: 'First Line number', LAST: 'Last Line number', ...help },
    set: (editor, m) => editor.enterLines(kind, ...range(m)),
    unset: (editor, m) => {
      const [first, last] = range(m);
      editor.config.lines = editor.config.lines.filter((l) => l.kind !== kind || l.first < first || l.last > last);
    },
  };
}

const DESTINATIONS = ['console', 'monitor', 'trap'] as const;

const loggingLevel = (where: (typeof DESTINATIONS)[number]): C => ({
  syntax: `logging ${where} [LEVEL:SEVERITY]`,
  help: {
    logging: 'Modify message logging facilities',
    console: 'Set console logging parameters',
    monitor: 'Set terminal line (monitor) logging parameters',
    trap: 'Set syslog server logging level',
  },
  set: ({ config }, m) =>
    void (config.logging[where] = (m.optionalNumber('LEVEL') ?? (where === 'trap' ? 6 : 7)) as Severity),
  unset: ({ config }) => {
    Reflect.deleteProperty(config.logging, where);
  },
  reset: ({ config }) => void (config.logging[where] = emptyConfig().logging[where]!),
});

/** `banner motd DELIMITER text DELIMITER`, on one line or several. A delimiter may be typed as ^C. */
function readBanner(editor: ConfigEditor, kind: 'motd' | 'login' | 'exec', typed: string): void {
  const delimiter = typed.startsWith('^C') ? '^C' : typed.slice(0, 1);
  const lines: string[] = [];
  const take = (text: string): boolean => {
    const end = text.indexOf(delimiter);
    lines.push(end < 0 ? text : text.slice(0, end));
    if (end < 0) return false;
    editor.config.banners[kind] = lines.join('\n');
    editor.textReader = undefined;
    return true;
  };
  if (!take(typed.slice(delimiter.length))) editor.textReader = take;
}

const sameRoute = (a: StaticRoute, b: StaticRoute): boolean =>
  a.prefix === b.prefix && a.mask === b.mask && a.nextHop === b.nextHop && a.interfaceName === b.interfaceName;

const routesByPrefix = indexed((r: StaticRoute) => [r.prefix]);

const ROUTE = 'ip route PREFIX:ADDRESS MASK:MASK {HOP:ADDRESS | INTERFACE:INTERFACE [HOP:ADDRESS]}';

function routeOf(m: Match): StaticRoute {
  const route: StaticRoute = {
    prefix: m.number('PREFIX'),
    mask: m.number('MASK'),
    distance: m.optionalNumber('DISTANCE') ?? 1,
  };
  if (m.has('HOP')) route.nextHop = m.number('HOP');
  if (m.has('INTERFACE')) route.interfaceName = m.word('INTERFACE');
  return route;
}

export const GLOBAL_COMMANDS: readonly C[] = [
  {
    syntax: 'version VERSION:RELEASE',
    help: { version: 'Version of the configuration file', VERSION: 'Release' },
    set: ({ config }, m) => void (config.version = m.word('VERSION')),
  },
  {
    syntax: 'hostname HOSTNAME:WORD',
    unsetSyntax: 'hostname [HOSTNAME:WORD]',
    help: { hostname: "Set system's network name", HOSTNAME: "This system's network name" },
    set: ({ config }, m) => void (config.hostname = m.word('HOSTNAME')),
    unset: ({ config }) => void (config.hostname = emptyConfig().hostname),
  },
  ...timestamps('debug'),
  ...timestamps('log'),
  {
    syntax: 'service password-encryption',
    help: { 'password-encryption': 'Encrypt system passwords' },
    set: ({ config }) => encryptAll(config),
    unset: ({ config }) => void (config.passwordEncryption = false), // what is encoded stays so
  },
  {
    syntax: 'enable password [level LEVEL:<1-15>] [{0 | 7}] PASSWORD:LINE',
    unsetSyntax: 'enable password [OPTIONS:LINE]',
    help: {
      enable: 'Modify enable password parameters',
      password: 'Assign the privileged level password',
      level: 'Set exec level password',
      LEVEL: 'Level number',
      0: 'Specifies an UNENCRYPTED password will follow',
      7: 'Specifies a HIDDEN password will follow',
      PASSWORD: "The UNENCRYPTED (cleartext) 'enable' password",
    },
    set: (editor, m) => {
      const password = readPassword(editor, m);
      if (m.has('LEVEL') && m.number('LEVEL') !== 15)
        editor.refuse('only privilege level 15 is supported', m.column('LEVEL'));
      else if (password !== undefined) editor.config.enable.password = password;
    },
    unset: ({ config }) => {
      delete config.enable.password;
    },
  },
  {
    syntax: 'enable secret [level LEVEL:<1-15>] [{0 | 5}] SECRET:LINE',
    unsetSyntax: 'enable secret [OPTIONS:LINE]',
    help: {
      secret: 'Assign the privileged level secret',
      5: 'Specifies an ENCRYPTED secret will follow',
      SECRET: "The UNENCRYPTED (cleartext) 'enable' secret",
    },
    set: (editor, m) => {
      const secret = readSecret(editor, m);
      if (m.has('LEVEL') && m.number('LEVEL') !== 15)
        editor.refuse('only privilege level 15 is supported', m.column('LEVEL'));
      else if (secret !== undefined) editor.config.enable.secret = secret;
    },
    unset: ({ config }) => {
      delete config.enable.secret;
    },
  },
  {
    syntax:
      'username USER:WORD [privilege LEVEL:<0-15>] [{password [{0 | 7}] PASSWORD:LINE | secret [{0 | 5}] SECRET:LINE}]',
    unsetSyntax: 'username USER:WORD [OPTIONS:LINE]',
    help: {
      username: 'Establish User Name Authentication',
      USER: 'User name',
      privilege: 'Set user privilege level',
      LEVEL: 'User privilege level',
    },
    set: setUser,
    unset: ({ config }, m) => void (config.users = config.users.filter((u) => u.name !== m.word('USER'))),
  },
  {
    syntax: 'clock timezone ZONE:WORD HOURS:OFFSET [MINUTES:<0-59>]',
    unsetSyntax: 'clock timezone [OPTIONS:LINE]',
    help: {
      clock: 'Configure time-of-day clock',
      timezone: 'Configure time zone',
      ZONE: 'name of time zone',
      HOURS: 'Hours offset from UTC',
      MINUTES: 'Minutes offset from UTC',
    },
    set: ({ config }, m) =>
      void (config.clock.timezone = {
        name: m.word('ZONE'),
        hours: m.number('HOURS'),
        minutes: m.optionalNumber('MINUTES') ?? 0,
      }),
    unset: ({ config }) => {
      delete config.clock.timezone;
    },
  },
  {
    syntax: 'logging on',
    help: { on: 'Enable logging to all supported destinations' },
    set: ({ config }) => void (config.logging.on = true),
    unset: ({ config }) => void (config.logging.on = false),
    reset: ({ config }) => void (config.logging.on = true),
  },
  ...DESTINATIONS.map(loggingLevel),
  {
    syntax: 'logging buffered [SIZE:<4096-2147483647>] [LEVEL:SEVERITY]',
    unsetSyntax: 'logging buffered [OPTIONS:LINE]',
    help: { buffered: 'Set buffered logging parameters', SIZE: 'Logging buffer size' },
    set: ({ config }, m) => {
      config.logging.buffered = (m.optionalNumber('LEVEL') ?? 7) as Severity;
      config.logging.bufferSize = m.optionalNumber('SIZE') ?? emptyConfig().logging.bufferSize;
    },
    unset: ({ config }) => {
      delete config.logging.buffered;
      config.logging.bufferSize = emptyConfig().logging.bufferSize;
    },
  },
  {
    syntax:
      'logging facility FACILITY:{auth | cron | daemon | kern | local0 | local1 | local2 | local3 | local4 | local5 | local6 | local7 | lpr | mail | news | syslog | user | uucp}',
    unsetSyntax: 'logging facility [OPTIONS:LINE]',
    help: {
      facility: 'Facility parameter for syslog messages',
      auth: 'Authorization system',
      cron: 'Cron/at facility',
      daemon: 'System daemons',
      kern: 'Kernel',
      ...Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((n) => [`local${n}`, 'Local use'])),
      lpr: 'Line printer system',
      mail: 'Mail system',
      news: 'USENET news',
      syslog: 'Syslog itself',
      user: 'User process',
      uucp: 'Unix-to-Unix copy system',
    },
    set: ({ config }, m) => void (config.logging.facility = m.word('FACILITY')),
    unset: ({ config }) => void (config.logging.facility = emptyConfig().logging.facility),
  },
  {
    syntax: 'logging {host SERVER:ADDRESS | SERVER:ADDRESS}',
    help: { 'logging host': 'Set syslog server IP address and parameters', SERVER: 'IP address of the syslog server' },
    set: ({ config }, m) => {
      if (!config.logging.hosts.includes(m.number('SERVER'))) config.logging.hosts.push(m.number('SERVER'));
    },
    unset: ({ config }, m) =>
      void (config.logging.hosts = config.logging.hosts.filter((h) => h !== m.number('SERVER'))),
  },
  {
    // `tls` is fw3640's own (RFC 5425).
    syntax: 'logging host SERVER:ADDRESS transport TRANSPORT:{udp | tcp | tls} [port PORT:<1-65535>]',
    help: {
      transport: 'Specify the transport protocol for the syslog messages',
      SERVER: 'IP address of the syslog server',
      udp: 'User Datagram Protocol',
      tcp: 'Transport Control Protocol',
      tls: 'Transport Layer Security over TCP',
      port: 'Specify the port number',
      PORT: 'Port number',
    },
    set: ({ config: { logging } }, m) => {
      const server = syslogServer(m);
      if (!logging.servers.some((s) => isSame(s, server))) logging.servers.push(server);
    },
    unset: ({ config: { logging } }, m) => {
      const server = syslogServer(m);
      logging.servers = logging.servers.filter((s) => !isSame(s, server));
    },
  },
  {
    syntax: 'banner KIND:{motd | login | exec} TEXT:LINE',
    unsetSyntax: 'banner KIND:{motd | login | exec} [TEXT:LINE]',
    help: {
      banner: 'Define a login banner',
      motd: 'Set Message of the Day banner',
      'banner login': 'Set login banner',
      exec: 'Set EXEC process creation banner',
      TEXT: "c banner-text c, where 'c' is a delimiting character",
    },
    set: (editor, m) => readBanner(editor, m.word('KIND') as 'motd', m.word('TEXT')),
    unset: ({ config }, m) => {
      Reflect.deleteProperty(config.banners, m.word('KIND'));
    },
  },
  ...NAME_COMMANDS,
  {
    syntax: `${ROUTE} [DISTANCE:<1-255>] [name ROUTE-NAME:WORD] [permanent] [tag TAG:<1-4294967295>] [track OBJECT:<1-1000>]`,
    unsetSyntax: `${ROUTE} [OPTIONS:LINE]`,
    help: {
      route: 'Establish static routes',
      PREFIX: 'Destination prefix',
      MASK: 'Destination prefix mask',
      HOP: "Forwarding router's address",
      DISTANCE: 'Distance metric for this route',
      'route name': 'Specify name of the next hop',
      'INTERFACE name': 'Specify name of the next hop',
      'HOP name': 'Specify name of the next hop',
      'ROUTE-NAME': 'Name of the next hop',
      permanent: 'permanent route',
      tag: 'Set tag for this route',
      TAG: 'Tag value',
      track: 'Install route depending on tracked item',
      OBJECT: 'Tracked object number',
    },
    set: (editor, m) => {
      const route = { ...routeOf(m), line: editor.line };
      if (m.has('OBJECT')) editor.warn('objects are not tracked: the route always counts', m.column('OBJECT'));
      if ((route.prefix & ~route.mask) !== 0) {
        editor.refuse('Inconsistent address and mask', m.column('MASK'));
        return;
      }
      const routes = routesByPrefix(editor.config.routes);
      const same = routes.find(route, sameRoute);
      if (same === undefined) routes.insert(route);
      else routes.replace(same, route);
    },
    unset: (editor, m) => {
      const routes = routesByPrefix(editor.config.routes);
      const same = routes.find(routeOf(m), sameRoute);
      if (same === undefined) editor.refuse(`No matching route to delete: ${formatAddress(m.number('PREFIX'))}`);
      else routes.remove(same);
    },
  },
  {
    syntax: 'interface NAME:INTERFACE [LINK:{point-to-point | multipoint}]',
    help: {
      interface: 'Select an interface to configure',
      'point-to-point': 'Treat as a point-to-point link',
      multipoint: 'Treat as a multipoint link',
    },
    set: (editor, m) => editor.enterInterface(m.word('NAME')),
    unset: (editor, m) => {
      const { config } = editor;
      editor.dropBlock(`interface ${m.word('NAME')}`);
      config.interfaces = config.interfaces.filter((i) => i.name !== m.word('NAME'));
    },
  },
  lineCommand('con', 'line console FIRST:<0-0>', { console: 'Primary terminal line' }),
  lineCommand('aux', 'line aux FIRST:<0-0>', { aux: 'Auxiliary line' }),
  lineCommand('vty', 'line vty FIRST:<0-1869> [LAST:<1-1869>]', { vty: 'Virtual terminal' }),
];

function syslogServer(m: Match): SyslogServer {
  const transport = m.word('TRANSPORT') as SyslogServer['transport'];
  return { address: m.number('SERVER'), transport, port: m.optionalNumber('PORT') ?? SYSLOG_PORTS[transport] };
}

const isSame = (a: SyslogServer, b: SyslogServer): boolean =>
  a.address === b.address && a.transport === b.transport && a.port === b.port;
