/** `ip http …` in global configuration: the router's web page (Cisco IOS HTTP Services). */
import { httpDefaults } from '../config/defaults.js';
import type { ConfigEditor } from '../config/editor.js';
import type { Command } from '../grammar/command.js';

type C = Command<ConfigEditor>;

const METHODS = {
  aaa: 'Use AAA access control methods',
  enable: 'Use enable passwords',
  local: 'Use local username and passwords',
  tacacs: 'Use tacacs to authorize user',
};

/** On, off, or as the router came: `no` is printed then, where it was typed. */
const onOff = (word: 'server' | 'secure-server', key: 'server' | 'secureServer', help: string): C => ({
  syntax: `ip http ${word}`,
  help: { http: 'HTTP server configuration', [word]: help },
  set: ({ config }) => void (config.http[key] = true),
  unset: ({ config }) => void (config.http[key] = false),
  reset: ({ config }) => {
    Reflect.deleteProperty(config.http, key);
  },
});

const number = (syntax: string, key: 'port' | 'securePort' | 'maxConnections', help: Record<string, string>): C => ({
  syntax,
  unsetSyntax: `${syntax.slice(0, syntax.lastIndexOf(' '))} [OPTIONS:LINE]`,
  help,
  set: ({ config }, m) => void (config.http[key] = m.number('VALUE')),
  unset: ({ config }) => void (config.http[key] = httpDefaults()[key]),
});

export const HTTP_COMMANDS: readonly C[] = [
  onOff('server', 'server', 'Enable http server'),
  onOff('secure-server', 'secureServer', 'Enable HTTP secure server'),
  number('ip http port VALUE:<1-65535>', 'port', {
    'http port': 'Set http server port',
    'http port VALUE': 'HTTP port',
  }),
  number('ip http secure-port VALUE:<1-65535>', 'securePort', {
    'secure-port': 'Set http secure server port number for listening',
    'secure-port VALUE': 'Secure port number',
  }),
  number('ip http max-connections VALUE:<1-16>', 'maxConnections', {
    'max-connections': 'Set maximum number of concurrent http server connections',
    'max-connections VALUE': 'Maximum number of concurrent http server connections',
  }),
  {
    syntax: 'ip http access-class {NUMBER:<1-99> | NUMBER:<1300-1999> | LIST:NAME}',
    unsetSyntax: 'ip http access-class [OPTIONS:LINE]',
    help: {
      'http access-class': 'Restrict http server access by access-class',
      NUMBER: 'Access list number',
      LIST: 'Access-list name',
    },
    set: ({ config, line }, m) => {
      config.http.accessClass = m.list();
      config.http.accessClassLine = line;
    },
    unset: ({ config }) => {
      delete config.http.accessClass;
      delete config.http.accessClassLine;
    },
  },
  {
    syntax: 'ip http authentication METHOD:{aaa | enable | local | tacacs}',
    unsetSyntax: 'ip http authentication [OPTIONS:LINE]',
    help: { authentication: 'Set http server authentication method', ...METHODS },
    set: (editor, m) => {
      const method = m.word('METHOD') as keyof typeof METHODS;
      if (method === 'aaa' || method === 'tacacs')
        editor.warn(
          `there is no ${method === 'aaa' ? 'AAA' : 'TACACS'} here: nobody gets in by http`,
          m.column('METHOD'),
        );
      editor.config.http.authentication = method;
    },
    unset: ({ config }) => void (config.http.authentication = httpDefaults().authentication),
  },
  {
    syntax: 'ip http timeout-policy idle IDLE:<1-600> life LIFE:<1-86400> requests REQUESTS:<1-86400>',
    unsetSyntax: 'ip http timeout-policy [OPTIONS:LINE]',
    help: {
      'timeout-policy': 'Set http server time-out policy parameters',
      idle: 'Specify server timeout',
      IDLE: 'Value in seconds',
      life: 'Server life time',
      LIFE: 'Value in seconds',
      requests: 'Maximum number of requests on a connection',
      REQUESTS: 'Maximum number of requests',
    },
    set: ({ config }, m) =>
      void (config.http.timeouts = {
        idle: m.number('IDLE'),
        life: m.number('LIFE'),
        requests: m.number('REQUESTS'),
      }),
    unset: ({ config }) => void (config.http.timeouts = httpDefaults().timeouts),
  },
];
