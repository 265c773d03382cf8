import { beforeEach, describe, expect, test } from 'vitest';
import { makeApp } from '../../src/management/app.js';
import { NoAnswer, type Channels } from '../../src/management/control-channel.js';
import { credentials } from '../../src/management/guard.js';
import type { Ask, QuestionName, WebSettings } from '../../src/ios/management-plane.js';

const SETTINGS: WebSettings = { hostname: '<i>r1</i>', maxConnections: 5, idle: 180, life: 180, requests: 1 };

/** What was asked, and a control plane that knows `admin`/`right` (level 15) and `guest`/`right` (level 1). */
let asked: { question: QuestionName; ask: unknown }[];
let output: string;
let isDead: boolean;

const control: Channels = {
  ask: (question: QuestionName, ask: unknown) => {
    if (isDead) return Promise.reject(new NoAnswer('gone'));
    asked.push({ question, ask });
    return Promise.resolve(answerTo(question, ask)) as never;
  },
  watch: () => () => undefined,
};

function answerTo(question: QuestionName, ask: unknown): unknown {
  if (question === 'login') {
    const { user, password } = ask as Ask<'login'>;
    if (user === 'many') return { refused: 'busy' };
    if (password !== 'right') return { refused: 'credentials' };
    return { ticket: `ticket of ${user}`, privilege: user === 'admin' ? 15 : 1, name: user };
  }
  if (question === 'help') return { offers: [{ kind: 'word', text: 'sh<w', help: '"a" & b' }] };
  if (question === 'exec') {
    const { line, reading } = ask as Ask<'exec'>;
    if (reading && line.startsWith('clear')) return { denied: 'not-reading' };
  }
  return { output, failed: false };
}

const ENV = { incoming: { socket: { remoteAddress: '10.10.10.2', localPort: 80 } } };
const as = (user: string, password = 'right'): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const request = async (path: string, init: RequestInit = {}): Promise<Response> =>
  await makeApp({ control, settings: () => SETTINGS }).request(`http://r1${path}`, init, ENV);
const get = (path: string, headers = as('admin')): Promise<Response> => request(path, { headers });
const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> =>
  request(path, { method: 'POST', body: new URLSearchParams(form), headers: { ...as('admin'), ...headers } });

const did = (): string[] =>
  asked
    .filter((a) => a.question !== 'login')
    .map(({ question, ask }) => {
      const { line, lines } = ask as { line?: string; lines?: string[] };
      return `${question} ${line ?? lines?.join(';') ?? ''}`;
    });

beforeEach(() => {
  asked = [];
  output = 'hello\n';
  isDead = false;
});

describe('who may see a page', () => {
  test.each([
    { path: '/', realm: 'level_15_access' },
    { path: '/level/15/exec/-', realm: 'level_15_access' },
    { path: '/level/1/exec/show/clock/CR', realm: 'level_1_access' },
    { path: '/exec/show/clock/CR', realm: 'level_15_access' },
    { path: '/level/15/configure', realm: 'level_15_access' },
    { path: '/assets/router.css', realm: 'level_1_access' },
  ])('$path asks a stranger for $realm, and nobody about him', async ({ path, realm }) => {
    const answer = await get(path, {});
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe(`Basic realm="${realm}"`);
    expect(asked).toEqual([]);
  });

  test('a wrong password is asked for again', async () => {
    expect((await get('/', as('admin', 'wrong'))).status).toBe(401);
  });

  test.each(['/', '/exec/show/clock/CR', '/level/15/exec/-', '/level/15/configure'])(
    'who has level 1 does not get %s',
    async (path) => {
      expect((await get(path, as('guest'))).status).toBe(401);
      expect(did()).toEqual([]);
    },
  );

  test('who has level 1 has the commands of level 1', async () => {
    expect(await (await get('/level/1/exec/-/show/clock/CR', as('guest'))).text()).toContain('<pre>hello\n</pre>');
    expect(asked.at(-1)?.ask).toMatchObject({ ticket: 'ticket of guest', level: 1, line: 'show clock', reading: true });
  });

  test('where too many try at once, or the control plane does not answer, it is said to come later', async () => {
    expect((await get('/', as('many'))).status).toBe(503);
    isDead = true;
    expect((await get('/')).status).toBe(503);
  });

  test.each([
    { header: undefined, want: undefined },
    { header: 'Bearer abc', want: undefined },
    { header: 'Basic ???', want: undefined },
    { header: `Basic ${Buffer.from('nocolon').toString('base64')}`, want: undefined },
    { header: `Basic ${Buffer.from(`a:${'b'.repeat(2000)}`).toString('base64')}`, want: undefined },
    { header: `basic ${Buffer.from(':pass:word').toString('base64')}`, want: { user: '', password: 'pass:word' } },
  ])('credentials of $header', ({ header, want }) => expect(credentials(header)).toEqual(want));
});

describe('pages', () => {
  test('what the router has, a hostname or a line, never becomes markup', async () => {
    output = `<script>alert('1')</script> & "x"\n`;
    const page = await (await get('/exec/show/clock/CR')).text();
    expect(page).toContain('<pre>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;\n</pre>');
    expect(page).not.toContain('<i>');
    const help = await (await get('/exec/%3Cb%3E')).text();
    expect(help).not.toContain('<b>');
    expect(help).toContain('&quot;a&quot; &amp; b');
    expect(help).toContain('href="/level/15/exec/-/%3Cb%3E/sh%3Cw"');
  });

  test('each answer is in no frame, kept nowhere, and loads nothing from elsewhere', async () => {
    for (const answer of [await get('/'), await get('/', {}), await get('/none'), await get('/exec/show/clock/CR')]) {
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      expect(answer.headers.get('server')).toBe('cisco-IOS');
    }
  });

  test.each([
    '/etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/assets/..%2f..%2fpackage.json',
    '//evil/exec',
    '/level/99/exec/-',
  ])('%s is not there', async (path) => expect((await get(path)).status).toBe(404));

  test('an argument is typed into a field, and becomes part of the path', async () => {
    const answer = await get('/exec/-/show/interfaces?next=Ethernet2/0%20');
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      '/level/15/exec/-/show/interfaces/Ethernet2%2F0',
    ]);
  });
});

describe('what changes something', () => {
  const token = async (): Promise<string> =>
    /name="token"\s+value="([^"]+)"/.exec(await (await get('/level/15/configure')).text())![1]!;

  test('is not done by a GET: a form is shown', async () => {
    const page = await (await get('/exec/clear/ip/nat/translation/CR')).text();
    expect(page).toMatch(/<form action="\/level\/15\/exec\/-\/clear\/ip\/nat\/translation\/CR" method="post">/);
    expect(asked.at(-1)?.ask).toMatchObject({ reading: true });
  });

  test('is done by the form of our own page', async () => {
    const form = { token: await token(), lines: 'hostname r2\r\n\r\n exit' };
    const answer = await post('/level/15/configure', form, { origin: 'http://r1', 'sec-fetch-site': 'same-origin' });
    expect(answer.status).toBe(200);
    expect(did()).toEqual(['configure hostname r2; exit']);
    await post('/level/15/configure/-/hostname/r3/CR', form);
    await post('/exec/clear/counters/CR', form);
    expect(did().slice(1)).toEqual(['configure hostname r3', 'exec clear counters']);
  });

  test.each([
    { what: 'without the token', form: {}, headers: {} },
    { what: 'with the token of another', form: { token: 'x'.repeat(43) }, headers: {} },
    { what: 'from another origin', form: { token: 'ours' }, headers: { origin: 'http://evil.example' } },
    { what: 'from an origin that hides itself', form: { token: 'ours' }, headers: { origin: 'null' } },
    { what: 'from another site', form: { token: 'ours' }, headers: { 'sec-fetch-site': 'cross-site' } },
    {
      what: 'from another port of ours',
      form: { token: 'ours' },
      headers: { origin: 'http://r1:8080', 'sec-fetch-site': 'same-site' },
    },
    { what: 'as another type of content', form: { token: 'ours' }, headers: { 'content-type': 'text/plain' } },
  ])('is not done $what', async ({ form, headers }) => {
    const sent = 'token' in form && form.token === 'ours' ? { token: await token() } : form;
    for (const path of ['/level/15/configure', '/exec/clear/counters/CR'])
      expect((await post(path, { lines: 'no ip http server', ...sent }, headers as never)).status).toBe(403);
    expect(did()).toEqual([]);
  });

  test('is not done by who has level 1, even where the command is one of level 1', async () => {
    const answer = await post('/level/1/exec/-/ping/10.10.10.2/CR', { token: 'any' }, as('guest'));
    expect(answer.status).toBe(401);
    expect(did()).toEqual([]);
  });

  test('is not more than a few lines long', async () => {
    const answer = await post('/level/15/configure', { token: await token(), lines: 'x'.repeat(300_000) });
    expect(answer.status).toBe(413);
  });
});
