import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import puppeteer, { Browser, Page } from 'puppeteer-core';
import { REPOSITORY } from './cdk';

/** Where screenshots are for people to look at. */
export const SCREENSHOTS = join(REPOSITORY, '.cache', 'reports');

/** A headless Chromium that npm brought along. Its package is an ES module, so Node.js itself asks it where the program is. */
export async function startBrowser(): Promise<Browser> {
  const ask = 'import("@sparticuz/chromium").then(async ({ default: chromium }) => console.log(JSON.stringify({ path: await chromium.executablePath(), args: chromium.args })))';
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', ask], { cwd: REPOSITORY });
  const { path, args } = JSON.parse(stdout);
  return puppeteer.launch({ executablePath: path, args, headless: 'shell', defaultViewport: { width: 1280, height: 900 } });
}

/** Waits until a page shows a text. */
export async function shows(page: Page, text: string, seconds = 30): Promise<void> {
  // In the browser.
  await page.waitForFunction((wanted: string) => (globalThis as any).document.body.innerText.includes(wanted), { timeout: seconds * 1000 }, text)
    .catch(async error => {
      await screenshot(page, 'browser-failure');
      throw new Error(`${page.url()} does not show ${JSON.stringify(text)}, but: ${(await page.evaluate(() => (globalThis as any).document.body.innerText)).slice(0, 4000)} (${error.message})`);
    });
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}
