/** The live page in a real browser, inside: real mail goes by outside of it. */
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { accessibilityFaults, LabBrowser } from './support/browser.js';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { smtpServer } from './support/smtp-server.js';
import { type Connection, openTcp } from './support/tcp.js';
import { until } from './support/until.js';

/** Keeps dialogues. */
const TRANSCRIPT = 'ip inspect name OUT-IN smtp\nip inspect transcript 20';
const MAIL = '172.22.1.110';
const URL = 'http://10.10.10.1/live';
/** As config/3640.cfg has it. */
const httpCredentials = { username: 'any', password: 'cisco123' };

let lab: Lab;
let router: Fw3640;
let browser: LabBrowser;
let page: Page;
let client: Connection;

beforeAll(async () => {
  lab = Lab.up();
  const config = configVariant(lab, ['ip inspect name OUT-IN smtp', TRANSCRIPT]);
  router = await Fw3640.start(lab, { config });
  await smtpServer(lab);
  browser = await LabBrowser.start(lab, 'inside');
  await until('the page to answer', () =>
    lab.exec('inside', 'curl', ['--silent', '--max-time', '2', URL]).stdout.includes('401') ? true : undefined,
  );
});
afterAll(() => lab.down());
afterEach(() => expect(browser.complaints.splice(0)).toEqual([]));

/** Its row in the table. */
const mailSession = (of: Page): Locator => of.locator('.sessions tbody tr', { hasText: `${MAIL}:25 = 10.10.10.2` });

/** Says a line of the client, and waits for its reply. */
async function say(line: string, reply: RegExp): Promise<void> {
  const before = client.text.length;
  client.write(`${line}\r\n`);
  await until(
    () => `a reply to ${line}: ${client.text.slice(before)}`,
    () => reply.test(client.text.slice(before)),
  );
}

test('who logs in sees the network as configured, and that it is live', async () => {
  page = await browser.open(URL, { httpCredentials, viewport: { width: 1440, height: 900 } });
  await page.waitForSelector('.link.live');
  const picture = page.locator('.picture svg.wide');
  expect(await picture.getAttribute('aria-label')).toMatch(/Ethernet2\/0 172\.22\.1\.16\/24, outside: .* in, .* out/);
  expect(await picture.textContent()).toMatch(/inspect OUT-IN in.*10\.10\.10\.2 ⇄ 172\.22\.1\.110/);
  expect(await page.locator('.curve canvas').count()).toBe(8);
});

test('a session stands in the table as long as it lasts', async () => {
  client = await openTcp(lab, 'outside', MAIL, 25);
  await client.receive(/^220 .*\r\n/);
  const row = mailSession(page);
  await row.waitFor();
  expect(await row.textContent()).toMatch(/smtp172\.22\.1\.10:\d+.*open/);
});

test('a command that was masked is on the page within a second, as sent and as it went on', async () => {
  await say('HELO client.test', /^250 /);
  const since = performance.now();
  await say('EXPN root', /^500 /);
  await page.waitForSelector('.feed .before code:text-is("EXPN root")', { timeout: 5000 });
  const tookMs = performance.now() - since;
  expect(await page.locator('.feed li').first().locator('.after code').textContent()).toBe('xxxxxxxxx');
  expect(tookMs).toBeLessThan(1000);
});

test('a mail is counted, and its lists and the log tell of it', async () => {
  await say('MAIL FROM:<a@b.test>', /^250 /);
  await say('RCPT TO:<c@d.test>', /^250 /);
  await say('DATA', /^354 /);
  await say('Subject: secret words\r\n\r\nnobody reads this\r\n.', /^250 /);
  await page.locator('.tile', { hasText: 'Mails a minute' }).locator('.more', { hasText: '1 since' }).waitFor();
  expect(await page.locator('.list tbody tr').textContent()).toMatch(
    /^10 permit tcp any host 172.22.1.110 eq smtp\d+$/,
  );
  expect(await page.locator('.log tbody').textContent()).toContain('%FW-4-SMTP_INVALID_COMMAND');
});

test('the dialogue of the session is read as it runs, without message data', async () => {
  await mailSession(page).getByRole('link').click();
  const dialogue = page.locator('dialog .dialogue');
  await dialogue.waitFor();
  expect(await dialogue.locator('.command .before', { hasText: 'EXPN root' }).count()).toBe(1);
  expect(await dialogue.locator('.command .after').textContent()).toBe('went on as: xxxxxxxxx');
  await say('NOOP', /^250 /);
  await dialogue.locator('tr', { hasText: 'NOOP' }).waitFor();
  expect(await dialogue.textContent()).not.toMatch(/secret words|nobody reads/);
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await dialogue.waitFor({ state: 'detached' });
});

test('by keyboard: the table is sorted, filtered, and a dialogue opened and closed', async () => {
  await page.getByLabel('Filter').focus();
  await page.keyboard.type('no such words');
  await page.getByText('None of them has these words.').waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  const sent = page.getByRole('columnheader', { name: 'sent' });
  await sent.getByRole('button').focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => sent.getAttribute('aria-sort')).toBe('descending');
  await mailSession(page).getByRole('link').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.getByRole('button', { name: 'Close' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test.each(['dark', 'light'] as const)('nobody is kept out by how it looks, in %s', async (colorScheme) => {
  await page.emulateMedia({ colorScheme });
  expect(await accessibilityFaults(page)).toEqual([]);
});

test('on a telephone nothing is cut off at the side, and nothing moves for who does not want it', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  expect(await page.evaluate(`getComputedStyle(document.querySelector('.flow')).animationName`)).toBe('none');
  expect(await accessibilityFaults(page)).toEqual([]);
});

test('a page that is paused hears nothing; the router asks its tables nothing then', async () => {
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.waitForSelector('.link.paused');
  const clock = await page.locator('.clock').textContent();
  await say('NOOP', /^250 /);
  await say('VERB', /^500 /);
  expect(await page.locator('.clock').textContent()).toBe(clock);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.waitForSelector('.feed .before code:text-is("VERB")');
});

test('without JavaScript the tables are there, and a link leads to the dialogue', async () => {
  const still = await browser.open(URL, { httpCredentials, javaScriptEnabled: false });
  expect(await still.locator('.link').textContent()).toBe('as of now');
  expect(await mailSession(still).count()).toBe(1);
  expect(await still.locator('.list tbody tr').count()).toBe(1);
  expect(await still.locator('.log tbody').textContent()).toContain('EXPN root');
  await mailSession(still).getByRole('link').click();
  expect(await still.locator('.dialogue').textContent()).toContain('EXPN root');
  await still.context().close();
});

test('a page whose router has gone says so, and goes on when there is one again', async () => {
  await router.stop('SIGUSR1');
  await page.waitForSelector('.link.lost');
  router = await Fw3640.start(lab, { config: configVariant(lab, ['ip inspect name OUT-IN smtp', TRANSCRIPT]) });
  await page.waitForSelector('.link.live', { timeout: 30_000 });
  // Chromium says so of every connection that is refused.
  const refused = browser.complaints.splice(0).filter((c) => !/net::ERR_|Failed to load resource/.test(c));
  expect(refused).toEqual([]);
});

test('the page loads nothing of other hosts, and stands in no frame', async () => {
  const asked: string[] = [];
  const other = await browser.open('about:blank', { httpCredentials });
  other.on('request', (r) => asked.push(r.url()));
  const answer = await other.goto(URL);
  await other.waitForSelector('.link.live');
  expect(asked.filter((url) => !url.startsWith('http://10.10.10.1/'))).toEqual([]);
  expect(answer!.headers()['content-security-policy']).toMatch(
    /default-src 'none'; script-src 'self'; style-src 'self'/,
  );
  expect(answer!.headers()['content-security-policy']).toContain("frame-ancestors 'none'");
  await other.context().close();
});
