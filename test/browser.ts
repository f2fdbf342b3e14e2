import { existsSync } from "node:fs";
import type { Context } from "mocha";
import { type Browser, chromium } from "playwright-core";

/** Where the Chromium for tests is: `CHROMIUM`, else where Debian puts it. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts a headless Chromium, for `before(async function () { browser = await launchBrowser(this); })`. Where there is
 * none the tests are skipped, which is said; with `CI` set that is a failure.
 */
export async function launchBrowser(context: Context): Promise<Browser> {
  if (!existsSync(executablePath)) {
    const sentence = `There is no Chromium at ${executablePath}: install it, or set CHROMIUM to where it is.`;
    if (process.env.CI) throw new Error(sentence);
    console.log(`    browser tests skipped: ${sentence}`);
    context.skip();
  }
  return chromium.launch({ executablePath, args });
}
