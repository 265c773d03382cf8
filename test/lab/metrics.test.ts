/** `--metrics`, as Debian's Prometheus reads it: the text, the alert rules, the names in dashboard and rules. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readExposition } from '../ios/metrics/exposition-reader.js';
import { Fw3640, fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { until } from './support/until.js';

const HAS_PROMETHEUS = spawnSync('promtool', ['--version']).status === 0;
const PORT = '9640';
const URL = `http://127.0.0.1:${PORT}/metrics`;

describe('the endpoint', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = Lab.up();
  });
  afterEach(() => lab.down());

  const curl = (...args: string[]): string => {
    const { stdout } = lab.exec('router', 'curl', ['--silent', '--include', '--max-time', '10', ...args]);
    return stdout;
  };
  const scrape = (): Promise<string> =>
    until('an answer', () => {
      const said = curl(URL);
      return said.startsWith('HTTP/1.1 200') ? said.slice(said.indexOf('\r\n\r\n') + 4) : undefined;
    });

  test.skipIf(!HAS_PROMETHEUS)(
    'promtool finds no fault, Prometheus scrapes it, and the dashboard and the rules name nothing that is not there',
    async () => {
      const router = await Fw3640.start(lab, { args: ['--metrics', PORT] });
      await scrape();
      lab.run('inside', 'ping', ['-q', '-c3', '-i0.1', '-W2', '172.22.1.10']);
      const text = await scrape();
      const { samples, types } = readExposition(text);
      const value = (name: string): number =>
        samples.filter((s) => s.name === name).reduce((sum, s) => sum + s.value, 0);
      expect(value('fw3640_packets_total')).toBeGreaterThanOrEqual(6);
      expect(value('fw3640_batch_seconds_count')).toBeGreaterThan(0);
      expect(value('fw3640_data_plane_up')).toBe(1);
      expect(samples.find((s) => s.name === 'fw3640_build_info')?.value).toBe(1);
      expect(
        samples.filter((s) => s.name === 'fw3640_interface_up').map((s) => [s.labels['interface'], s.value]),
      ).toEqual(
        expect.arrayContaining([
          ['Ethernet2/0', 1],
          ['Ethernet2/1', 1],
        ]),
      );
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      expect([checked.stdout, checked.stderr, checked.status]).toEqual(['', '', 0]);

      for (const file of ['packaging/grafana.json', 'packaging/alerts.yml']) {
        const named = new Set(readFileSync(file, 'utf8').match(/fw3640_[a-z0-9_]+/g));
        const there = (name: string): boolean => types.has(name) || types.has(name.replace(/_(bucket|sum|count)$/, ''));
        expect([file, [...named].filter((name) => !there(name))]).toEqual([file, []]);
        expect(named.size).toBeGreaterThan(10);
      }

      const conf = join(lab.folder, 'prometheus.yml');
      const rules = join(process.cwd(), 'packaging/alerts.yml');
      writeFileSync(
        conf,
        `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${rules}']
scrape_configs: [{ job_name: fw3640, static_configs: [{ targets: ['127.0.0.1:${PORT}'] }] }]\n`,
      );
      const prometheus = new LabProcess(lab, 'router', 'prometheus', [
        `--config.file=${conf}`,
        `--storage.tsdb.path=${join(lab.folder, 'tsdb')}`,
        '--web.listen-address=127.0.0.1:9090',
      ]);
      const query = (what: string): { value: [number, string] }[] => {
        const answer = curl('--get', 'http://127.0.0.1:9090/api/v1/query', '--data-urlencode', `query=${what}`);
        const body = answer.slice(answer.indexOf('{'));
        return body.startsWith('{') ? (JSON.parse(body) as { data: { result: [] } }).data.result : [];
      };
      await until('Prometheus to have scraped three times', () =>
        query('count_over_time(fw3640_packets_total[1m])').some(({ value: [, n] }) => Number(n) >= 3),
      );
      expect(query('up{job="fw3640"}')[0]!.value[1]).toBe('1');
      // A router that is well raises no alarm, and each rule is one that can be evaluated.
      expect(query('ALERTS{alertstate="firing"}')).toEqual([]);
      const listed = curl('http://127.0.0.1:9090/api/v1/rules');
      expect(listed.match(/"health":"ok"/g)?.length).toBe(readFileSync(rules, 'utf8').match(/- alert:/g)?.length);
      await prometheus.stop();

      // Another data plane in the place of one that was killed is counted.
      process.kill(router.dataPlane, 'SIGKILL');
      await until('the count', async () => / *fw3640_data_plane_restarts_total 1/.test(await scrape()));
      expect(await router.stop()).toBe(0);
    },
  );

  test('GET /metrics is all there is, on the loopback; no login is asked for, and none lets one do more', async () => {
    const router = await Fw3640.start(lab, { args: ['--metrics', PORT] });
    await scrape();
    const status = (...args: string[]): string => curl(...args).split('\r\n')[0]!;
    expect(status(`http://127.0.0.1:${PORT}/`)).toBe('HTTP/1.1 404 Not Found');
    expect(status(`http://127.0.0.1:${PORT}/level/15/exec/-/show/version/CR`, '--user', 'a:cisco123')).toBe('HTTP/1.1 404 Not Found'); // prettier-ignore
    expect(status('--request', 'POST', '--data', 'x=1', URL)).toBe('HTTP/1.1 405 Method Not Allowed');
    expect(curl(URL)).toMatch(/^content-type: text\/plain; version=0\.0\.4; charset=utf-8\r$/im);
    for (const address of ['10.10.10.1', '172.22.1.1'])
      expect(curl('--max-time', '2', `http://${address}:${PORT}/metrics`)).toBe('');
    expect(await router.stop()).toBe(0);
  });

  test('an address that is none is refused', () => {
    const args = [
      '--config',
      'config/3640.cfg',
      '--interface',
      'Ethernet2/0=outside',
      '--interface',
      'Ethernet2/1=inside',
    ];
    const done = fw3640(lab, 'run', ...args, '--metrics', 'nonsense');
    expect([done.code, done.stderr]).toEqual([2, expect.stringMatching(/^fw3640: --metrics nonsense: give it as/)]);
  });
});

/** Series in promtool's notation, and the alert that they are to raise. */
const RAISED: readonly [alert: string, at: string, series: Record<string, string>][] = [
  ['Fw3640Unreachable', '3m', { 'up{job="fw3640"}': '0x30' }],
  ['Fw3640DataPlaneDown', '2m', { fw3640_data_plane_up: '0x30' }],
  ['Fw3640DataPlaneRestarted', '10m', { fw3640_data_plane_restarts_total: '0x15 1x30' }],
  ['Fw3640SessionsLost', '10m', { 'fw3640_taken_over_sessions_total{outcome="lost"}': '0x15 3x30' }],
  ['Fw3640KernelDrops', '6m', { 'fw3640_lost_packets_total{cause="kernel_queue_dropped"}': '0x15 9x30' }],
  ['Fw3640PacketsLost', '6m', { 'fw3640_lost_packets_total{cause="bad_verdicts"}': '0x15 9x30' }],
  ['Fw3640QueueLong', '5m', { fw3640_queue_packets: '3000x30', fw3640_queue_held: '10x30' }],
  ['Fw3640Slow', '11m', { 'fw3640_batch_seconds_bucket{le="0.025"}': '0+1x60', 'fw3640_batch_seconds_bucket{le="0.1"}': '0+50x60', 'fw3640_batch_seconds_bucket{le="+Inf"}': '0+50x60' }], // prettier-ignore
  ['Fw3640TableFull', '6m', { 'fw3640_sessions_reset_total{cause="table-full"}': '0x15 9x30' }],
  ['Fw3640TableNearlyFull', '5m', { 'fw3640_sessions{service="smtp",state="open"}': '95x30', fw3640_sessions_limit: '100x30' }], // prettier-ignore
  ['Fw3640HalfOpenAggressive', '5m', { fw3640_aggressive: '1x30' }],
  ['Fw3640HostBlocked', '1m', { fw3640_blocked_hosts: '2x30' }],
  ['Fw3640LogLost', '6m', { fw3640_log_lost_messages_total: '0x15 9x30' }],
  ['Fw3640NoMails', '150m', { 'fw3640_mails_total{outcome="accepted"}': '7x600' }],
  ['Fw3640InterfaceDown', '2m', { 'fw3640_interface_up{interface="Ethernet2/0"}': '0x30' }],
];

describe.skipIf(!HAS_PROMETHEUS)('the alert rules', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = Lab.up();
  });
  afterEach(() => lab.down());

  test('are well-formed, and each is raised by what it is for and by nothing that is well', () => {
    const rules = join(process.cwd(), 'packaging/alerts.yml');
    const checked = spawnSync('promtool', ['check', 'rules', rules], { encoding: 'utf8' });
    expect([checked.stderr, checked.status]).toEqual(['', 0]);
    const all = [...readFileSync(rules, 'utf8').matchAll(/- alert: (\w+)/g)].map((m) => m[1]!);
    expect(RAISED.map(([alert]) => alert).sort()).toEqual([...all].sort());
    const well = { 'up{job="fw3640"}': '1x700', fw3640_data_plane_up: '1x700', fw3640_data_plane_restarts_total: '0x700', fw3640_queue_packets: '3000x700', fw3640_queue_held: '2900x700', fw3640_aggressive: '0x700', fw3640_blocked_hosts: '0x700', 'fw3640_interface_up{interface="a"}': '1x700', 'fw3640_mails_total{outcome="accepted"}': '0+1x700', 'fw3640_sessions{service="smtp",state="open"}': '80x700', fw3640_sessions_limit: '100x700' }; // prettier-ignore
    const count = (alert: string): string => `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`;
    const one = (series: Record<string, string>, expectations: [expr: string, at: string, value: number][]): string =>
      [
        '  - interval: 20s',
        '    input_series:',
        ...Object.entries(series).map(([name, values]) => `      - { series: '${name}', values: '${values}' }`),
        '    promql_expr_test:',
        ...expectations.map(([expr, at, value]) => `      - { expr: '${expr}', eval_time: ${at}, exp_samples: [{ value: ${value} }] }`), // prettier-ignore
      ].join('\n');
    const tests = [
      ...RAISED.map(([alert, at, series]) => one(series, [[count(alert), at, 1]])),
      one(well, all.map((alert) => [count(alert), '180m', 0])), // prettier-ignore
    ];
    const file = join(lab.folder, 'rules-test.yml');
    writeFileSync(file, `rule_files: ['${rules}']\nevaluation_interval: 20s\ntests:\n${tests.join('\n')}\n`);
    const done = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
    expect(`${done.stdout}${done.stderr}`).toMatch(/SUCCESS/);
    expect(done.status).toBe(0);
  });
});
