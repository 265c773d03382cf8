import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { emptyConfig } from '../../src/ios/config/defaults.js';
import { parseAddress } from '../../src/ios/ipv4-text.js';
import { Syslog } from '../../src/io/syslog.js';

const LINE = '*Oct 18 21:51:35.886: %SYS-5-CONFIG_I: Configured from console by console';

test('messages within logging trap go to the server, with facility, severity and count', async () => {
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  const received: string[] = [];
  server.on('message', (m) => received.push(m.toString()));
  const syslog = new Syslog(server.address().port);
  const logging = {
    ...emptyConfig().logging,
    hosts: [parseAddress('127.0.0.1')!],
    facility: 'local4',
    trap: 5 as const,
  };
  syslog.send(6, 'too detailed', logging);
  syslog.send(5, LINE, logging);
  syslog.send(5, 'switched off', { ...logging, on: false });
  syslog.send(3, 'graver', logging);
  while (received.length < 2) await once(server, 'message');
  expect(received).toEqual([`<165>1: ${LINE}`, '<163>2: graver']);
  expect([syslog.sent, syslog.lost.total]).toEqual([2, 0]);
  syslog.close();
  server.close();
});

test('a server that cannot be reached is counted, and harms nobody', async () => {
  const syslog = new Syslog(514);
  // Limited broadcast needs a permission that the socket does not have.
  syslog.send(5, LINE, { ...emptyConfig().logging, hosts: [-1] });
  while (syslog.lost.total === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(syslog.lost.total).toBe(1);
  syslog.close();
});

test('what waits is bounded, what is too much is counted', async () => {
  const syslog = new Syslog(514);
  const logging = { ...emptyConfig().logging, hosts: [parseAddress('127.0.0.1')!] };
  for (let n = 0; n < 20_000; n++) syslog.send(5, LINE, logging);
  // Nothing is sent in this turn: a megabyte of datagrams of some 80 bytes waits.
  expect(syslog.lost.total).toBeGreaterThan(20_000 - (1 << 20) / 75);
  expect(syslog.works).toBe(false);
  while (!syslog.works) await new Promise((resolve) => setTimeout(resolve, 5));
  syslog.close();
});
