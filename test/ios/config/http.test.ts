import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/ios/config/parse.js';
import { runningConfig } from '../../../src/ios/config/running-config.js';
import { showHttpConnections, showHttpStatus } from '../../../src/ios/show/ip-http.js';

const httpLines = (text: string): string[] =>
  runningConfig(parseConfig(`${text}\nend\n`, 'x').config)
    .split('\n')
    .filter((l) => l.includes('ip http'));

const ALL = `ip http server
ip http port 8080
ip http access-class 23
ip http authentication local
ip http secure-server
ip http secure-port 8443
ip http max-connections 16
ip http timeout-policy idle 60 life 86400 requests 10000`;

test.each([
  { name: 'nothing is said of what nobody has said', text: '', want: [] },
  { name: 'all that differs from the defaults', text: ALL, want: ALL.split('\n') },
  { name: 'what no longer differs is gone', text: `${ALL}\nno ip http port\nno ip http access-class\nno ip http authentication\nno ip http secure-port\nno ip http max-connections\nno ip http timeout-policy\ndefault ip http server\ndefault ip http secure-server`, want: [] }, // prettier-ignore
  { name: 'no is kept', text: 'no ip http server\nno ip http secure-server', want: ['no ip http server', 'no ip http secure-server'] }, // prettier-ignore
  { name: 'a named list', text: 'ip http access-class ADMINS', want: ['ip http access-class ADMINS'] },
  { name: 'what has no effect is kept', text: 'ip http path flash:', want: ['ip http path flash:'] },
])('ip http in the running-config: $name', ({ text, want }) => expect(httpLines(text)).toEqual(want));

test('a method that is not here lets nobody in, and says so', () => {
  const { errors, config } = parseConfig('ip http authentication aaa\nend\n', 'x');
  expect(errors).toMatchObject([{ severity: 'warning', reason: 'there is no AAA here: nobody gets in by http' }]);
  expect(config.http.authentication).toBe('aaa');
});

test.each(['ip http port 0', 'ip http port 65536', 'ip http max-connections 17', 'ip http access-class'])(
  '%s is an error or nothing',
  (line) => expect(parseConfig(`${line}\nend\n`, 'x').config.http).toEqual(parseConfig('end\n', 'x').config.http),
);

test('show ip http server status', () => {
  const text = showHttpStatus(parseConfig('ip http server\nip http access-class 23\nend\n', 'x').config.http);
  expect(text).toBe(`HTTP server status: Enabled
HTTP server port: 80
HTTP server authentication method: enable
HTTP server access class: 23
HTTP server base path: 
Maximum number of concurrent server connections allowed: 5
Server idle time-out: 180 seconds
Server life time-out: 180 seconds
Maximum number of requests allowed on a connection: 1
HTTP server active session modules: ALL
HTTP secure server capability: Present
HTTP secure server status: Disabled
HTTP secure server port: 443
HTTP secure server ciphersuite: tls-1.2 tls-1.3
HTTP secure server client authentication: Disabled
HTTP secure server trustpoint: 
`);
});

test('show ip http server connection', () => {
  const open = [{ local: '10.10.10.1:80', remote: '10.10.10.2:40312', inBytes: 312, outBytes: 2188 }];
  expect(showHttpConnections(open)).toBe(
    'HTTP server current connections:\n' +
      'local-ipaddress:port  remote-ipaddress:port  in-bytes  out-bytes\n' +
      '        10.10.10.1:80       10.10.10.2:40312        312 2188\n',
  );
});
