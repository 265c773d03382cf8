/** `login …` in global configuration: what becomes of logins that fail (Login Enhancements, 12.3(4)T). */
import type { ConfigEditor } from '../config/editor.js';
import type { LoginReport } from '../config/model.js';
import type { Command } from '../grammar/command.js';

const report = (what: 'failure' | 'success'): Command<ConfigEditor> => {
  const key = what === 'failure' ? 'onFailure' : 'onSuccess';
  return {
    syntax: `login on-${what} [log] [trap] [every EVERY:<1-65535>]`,
    unsetSyntax: `login on-${what} [OPTIONS:LINE]`,
    help: {
      [`on-${what}`]: `Set options for ${what === 'failure' ? 'failed login attempt' : 'successful login'}`,
      log: `Generate syslogs on ${what} logins`,
      trap: `Generate traps on ${what} logins`,
      every: 'Generate for each so-manieth',
      EVERY: 'Number of logins',
    },
    set: ({ config, line }, m) => {
      const made: LoginReport = {
        line,
        log: m.has('log') || !m.has('trap'),
        trap: m.has('trap'),
        every: m.optionalNumber('EVERY') ?? 1,
      };
      config.login[key] = made;
    },
    unset: ({ config }) => {
      Reflect.deleteProperty(config.login, key);
    },
  };
};

export const LOGIN_COMMANDS: readonly Command<ConfigEditor>[] = [
  {
    syntax: 'login block-for SECONDS:<1-65535> attempts ATTEMPTS:<1-65535> within WITHIN:<1-65535>',
    unsetSyntax: 'login block-for [OPTIONS:LINE]',
    help: {
      login: 'Enable secure login checking',
      'block-for': 'Set quiet-mode active time period',
      SECONDS: 'Time period in seconds',
      attempts: 'Set max number of fail attempts',
      ATTEMPTS: 'Fail attempts max value',
      within: 'Watch period for fail attempts',
      WITHIN: 'Time period in seconds',
    },
    set: ({ config, line }, m) => {
      config.login.line = line;
      config.login.blockFor = {
        seconds: m.number('SECONDS'),
        attempts: m.number('ATTEMPTS'),
        within: m.number('WITHIN'),
      };
    },
    unset: ({ config }) => {
      delete config.login.blockFor;
    },
  },
  {
    syntax: 'login delay DELAY:<1-10>',
    unsetSyntax: 'login delay [DELAY:<1-10>]',
    help: { delay: 'Set delay between successive fail login', DELAY: 'Time period in seconds' },
    set: ({ config }, m) => void (config.login.delay = m.number('DELAY')),
    unset: ({ config }) => {
      delete config.login.delay;
    },
  },
  {
    syntax: 'login quiet-mode access-class {NUMBER:<1-199> | NUMBER:<1300-2699> | LIST:NAME}',
    unsetSyntax: 'login quiet-mode access-class [OPTIONS:LINE]',
    help: {
      'quiet-mode': 'Set quiet-mode options',
      'access-class': 'Set access class ACL for quiet-mode',
      NUMBER: 'IP access list',
      LIST: 'Access-list name',
    },
    set: ({ config, line }, m) => {
      config.login.quietModeList = m.list();
      config.login.quietModeLine = line;
    },
    unset: ({ config }) => {
      delete config.login.quietModeList;
      delete config.login.quietModeLine;
    },
  },
  report('failure'),
  report('success'),
];
