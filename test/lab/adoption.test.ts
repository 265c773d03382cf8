/** The data plane is killed, and what crosses the router goes on: the next one takes over what the last one has left. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { smtpServer } from './support/smtp-server.js';
import { openTcp, TcpServer } from './support/tcp.js';
import { until } from './support/until.js';

let lab: Lab;
beforeEach(() => {
  lab = Lab.up();
});
afterEach(() => lab.down());

const smtpPackets = (router: Fw3640): number =>
  Number(/smtp packets: \[(\d+)/.exec(router.console('show ip inspect statistics'))?.[1]);

/** The process of the data plane; 0: there is none at this moment. */
const running = (router: Fw3640): number => {
  try {
    return router.dataPlane;
  } catch {
    return 0;
  }
};

test('killed five times: typed SMTP dialogues and other sessions go on, and commands are masked as before', async () => {
  const transfers = await TcpServer.listen(lab, 'outside', 8025);
  await smtpServer(lab);
  const router = await Fw3640.start(lab);
  const mail = await openTcp(lab, 'outside', '172.22.1.110', 25);
  await mail.receive(/^220 .*\r\n/);
  const transfer = await openTcp(lab, 'inside', '172.22.1.10', 8025);
  const received = await transfers.connection(1);
  const before = smtpPackets(router);
  mail.write('HEL'); // a line that is cut
  // Killed with a packet in hand, it would cost that session.
  await until('the line and its acknowledgement', () => smtpPackets(router) >= before + 2);
  for (let i = 1; i <= 5; i++) {
    const { dataPlane } = router;
    process.kill(dataPlane, 'SIGKILL');
    await until('another data plane', () => ![0, dataPlane].includes(running(router)));
    await router.logged(
      '%FW3640-5-DATA_PLANE',
      /2 sessions of the earlier data plane go on, 0 sessions reset, 0 unreadable/,
    );
    transfer.write(`piece ${i}\n`);
    await until('the piece', () => received.text.includes(`piece ${i}\n`));
  }
  mail.write('O client.test\r\n');
  await mail.receive(/250 .*\r\n/);
  mail.write('EXPN root\r\n');
  await mail.receive(/5\d\d .*\r\n/);
  await router.logged('%FW-4-SMTP_INVALID_COMMAND', /Invalid SMTP command/);
  expect(router.console('show ip inspect statistics')).toMatch(/sessions of the earlier data plane: went on: 10/);
  await router.stop();
});

test('a data plane that fails again and again begins with empty tables in the end', async () => {
  const transfers = await TcpServer.listen(lab, 'outside', 8025);
  const router = await Fw3640.start(lab);
  await openTcp(lab, 'inside', '172.22.1.10', 8025);
  await transfers.connection(1);
  const givenUp = (): boolean => router.log.some((l) => / begins with empty tables/.test(l.msg));
  // Three times; more where the router has only seen its connection close.
  for (let i = 1; i <= 8 && !givenUp(); i++) {
    const { dataPlane } = router;
    process.kill(dataPlane, 'SIGSEGV');
    await until('another data plane', () => ![0, dataPlane].includes(running(router)));
    await until('its answer', () => router.console('show ip inspect statistics').includes('Session creations'));
    if (i < 3) expect(givenUp()).toBe(false);
  }
  await router.logged('%FW3640-4-DATA_PLANE', /fails again and again: the next one begins with empty tables/);
  expect(router.console('show ip inspect sessions')).not.toContain('SIS_OPEN');
  await router.stop();
});
