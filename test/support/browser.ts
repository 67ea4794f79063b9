/** Debian's Chromium for tests of pages; it sends nothing off this machine. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasBrowser = existsSync(executablePath);
export const browserReason = `there is no ${executablePath}; install the package chromium or name one in CHROMIUM`;

export function launchBrowser(): Promise<Browser> {
  const quiet = ['background-networking', 'component-update', 'sync'].map((name) => `--disable-${name}`);
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet] });
}
