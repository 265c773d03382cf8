/** The metrics' pages: one answer for all who ask at a time, and nothing else to be had. */
import { expect, test } from 'vitest';
import { NoAnswer, type Channels } from '../../src/management/control-channel.js';
import { makeMetricsApp } from '../../src/management/metrics.js';

/** A control plane that answers when it is told to. */
function control(): { channels: Channels; asked: string[]; answer: (text: string) => void; refuse: () => void } {
  const asked: string[] = [];
  let waiting: { resolve: (text: never) => void; reject: (error: Error) => void } | undefined;
  const channels: Channels = {
    ask: (question) => {
      asked.push(question);
      return new Promise((resolve, reject) => (waiting = { resolve, reject }));
    },
    watch: () => () => undefined,
  };
  return {
    channels,
    asked,
    answer: (text) => waiting!.resolve(text as never),
    refuse: () => waiting!.reject(new NoAnswer('refused')),
  };
}

test('ten that ask at a time cost the router one answer, the next one asks anew', async () => {
  const { channels, asked, answer } = control();
  const app = makeMetricsApp(channels);
  const ten = Array.from({ length: 10 }, () => app.request('/metrics'));
  await new Promise((resolve) => setImmediate(resolve));
  answer('a 1\n');
  const texts = await Promise.all(ten.map(async (r) => (await r).text()));
  expect([texts, asked]).toEqual([new Array(10).fill('a 1\n'), ['metrics']]);
  const next = app.request('/metrics');
  await new Promise((resolve) => setImmediate(resolve));
  answer('a 2\n');
  expect([await (await next).text(), asked.length]).toEqual(['a 2\n', 2]);
});

test('a router that does not answer is 503, and the next scrape is tried', async () => {
  const { channels, asked, refuse } = control();
  const app = makeMetricsApp(channels);
  for (const n of [1, 2]) {
    const scrape = app.request('/metrics');
    await new Promise((resolve) => setImmediate(resolve));
    refuse();
    expect([(await scrape).status, asked.length]).toEqual([503, n]);
  }
});

test.each([
  ['GET', '/', 404],
  ['GET', '/metrics/x', 404],
  ['POST', '/metrics', 405],
  ['DELETE', '/metrics', 405],
  ['GET', '/exec/show/version', 404],
])('%s %s is %i, and nobody is asked', async (method, path, status) => {
  const { channels, asked } = control();
  expect((await makeMetricsApp(channels).request(path, { method })).status).toBe(status);
  expect(asked).toEqual([]);
});
