/** Two processes: what befalls one of them, and what the packets see of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { LabProcess } from './support/process.js';

let lab: Lab;
beforeAll(() => {
  lab = Lab.up();
});
afterAll(() => lab.down());

const passes = (): boolean => lab.exec('inside', 'ping', ['-c1', '-W1', '172.22.1.10']).code === 0;

test('a data plane that ends is replaced, and said; consoles stay, and the new one obeys the same configuration', async () => {
  const router = await Fw3640.start(lab);
  router.console('configure terminal', 'ip inspect udp idle-time 77', 'end');
  const first = router.dataPlane;
  process.kill(first, 'SIGKILL');
  await router.logged('%FW3640-2-DATA_PLANE', /ended \(SIGKILL\)/);
  await router.logged('%FW3640-5-DATA_PLANE', /started again/);
  expect(router.dataPlane).not.toBe(first);
  expect(passes()).toBe(true);
  expect(router.console('show ip inspect sessions')).toContain('icmp');
  expect(router.console('show ip inspect config')).toContain('udp idle-time is 77 sec');
  expect(await router.stop()).toBe(0);
});

test('a control plane that stands still holds up no packet, and says afterwards what happened', async () => {
  const router = await Fw3640.start(lab);
  router.process.child.kill('SIGSTOP');
  const ping = lab.run('inside', 'ping', ['-q', '-c300', '-i0.01', '-W1', '172.22.1.10']);
  router.process.child.kill('SIGCONT');
  expect(ping).toContain('300 packets transmitted, 300 received');
  // In milliseconds when the machine is quiet; seconds would be a wait for the other process.
  expect(Number(/= [\d.]+\/[\d.]+\/([\d.]+)\//.exec(ping)![1])).toBeLessThan(1000);
  await router.shows('show ip inspect sessions', /icmp/);
  expect(await router.stop()).toBe(0);
});

test('a terminal that does not read, and a show of everything in a loop, hold up no packet', async () => {
  const router = await Fw3640.start(lab);
  const shows = new LabProcess(lab, 'router', 'sh', [
    '-c',
    `while :; do node dist/main.js console --socket ${lab.folder}/console.sock -e 'show tech-support' >/dev/null; done`,
  ]);
  try {
    const ping = lab.run('inside', 'ping', ['-q', '-c300', '-i0.01', '-W1', '172.22.1.10']);
    expect(ping).toContain('300 packets transmitted, 300 received');
    expect(Number(/= [\d.]+\/[\d.]+\/([\d.]+)\//.exec(ping)![1])).toBeLessThan(1000);
  } finally {
    await shows.stop('SIGKILL');
  }
  expect(await router.stop()).toBe(0);
});
