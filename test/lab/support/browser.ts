/** Debian's Chromium in a host of the lab, driven by playwright-core. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Host, Lab } from './lab.js';

const CHROMIUM = '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

export class LabBrowser {
  /** What pages have complained of: errors and warnings of the console, scripts that failed. */
  readonly complaints: string[] = [];

  private constructor(private readonly browser: Browser) {}

  /** Starts it; it ends with the lab. */
  static async start(lab: Lab, host: Host): Promise<LabBrowser> {
    const program = join(lab.folder, `chromium-${host}`);
    writeFileSync(program, `#!/bin/sh\nexec nsenter --net=/run/netns/${lab.netns(host)} ${CHROMIUM} "$@"\n`);
    chmodSync(program, 0o755);
    // Its sandbox does not take root; what it loads is ours.
    const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] });
    lab.onDown(() => browser.close());
    return new LabBrowser(browser);
  }

  /** A page of a browser without a past. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext(options);
    const page = await context.newPage();
    page.on('console', (m) => {
      if (m.type() === 'error' || m.type() === 'warning') this.complaints.push(`${url}: ${m.text()}`);
    });
    page.on('pageerror', (e) => this.complaints.push(`${url}: ${e.message}`));
    await page.goto(url);
    return page;
  }
}

/** What axe-core finds wrong for people who do not see the page, or use no mouse: a line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const faults = await page.evaluate(async () => {
    interface Axe {
      run(): Promise<{ violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] }>;
    }
    const { axe } = globalThis as unknown as { axe: Axe };
    return (await axe.run()).violations;
  });
  return faults.flatMap(({ id, nodes }) => nodes.map((n) => `${id} ${n.target.join(' ')}: ${n.failureSummary}`));
}
