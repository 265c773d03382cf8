// screenshots.mjs NETNS FOLDER OUT: pictures of the live page, by Chromium in that namespace.
/* global document */
import { chmodSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import console from 'node:console';
import { chromium } from 'playwright-core';

const [netns, folder, out] = process.argv.slice(2);
const program = `${folder}/chromium`;
writeFileSync(program, `#!/bin/sh\nexec nsenter --net=${netns} /usr/bin/chromium "$@"\n`);
chmodSync(program, 0o755);
const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] });

/** @param open what is done with the page before its picture is taken */
async function picture(name, width, height, colorScheme, open = () => undefined) {
  const context = await browser.newContext({
    httpCredentials: { username: 'any', password: 'cisco123' },
    viewport: { width, height },
    colorScheme,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto('http://10.10.10.1/live');
  await page.waitForSelector('.link.live');
  await page.waitForFunction(() => document.querySelectorAll('.feed li').length >= 3);
  await open(page);
  await page.screenshot({ path: `${out}/${name}.png` });
  console.log(`${out}/${name}.png`);
  await context.close();
}

// Curves want some time to be drawn of.
const seconds = Number(process.env.SECONDS_OF_TRAFFIC ?? 60);
await picture('live-dark', 1600, 900, 'dark', (page) => page.waitForTimeout(seconds * 1000));
await picture('live-telephone', 390, 844, 'light');
await picture('live-dialogue', 1280, 720, 'light', async (page) => {
  await page.locator('.feed a').first().click();
  await page.waitForSelector('dialog .after');
});
await browser.close();
