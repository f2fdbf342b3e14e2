// Sets up, then runs the tests: all, or the files that are named. Arguments go to mocha.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fail, findChromium, repository } from "./environment.mjs";
import "./setup.mjs";

const chromium = findChromium();
if (!chromium) {
  const missing = "There is no Chromium: install one, or name it in the environment variable CHROMIUM.";
  if (process.env.CI) fail(missing);
  console.log(`Browser tests are skipped. ${missing}`);
}
const given = process.argv.slice(2);
const files = given.some((argument) => /(^|[\\/])test([\\/]|$)/.test(argument)) ? [] : ["test/**/*.test.ts"];
const mocha = join(repository, "node_modules", "mocha", "bin", "mocha.js");
const { status } = spawnSync(
  process.execPath,
  [mocha, "--reporter", "scripts/reporter.mjs", ...given, ...files],
  {
    stdio: "inherit",
    cwd: repository,
    env: { ...process.env, ...(chromium ? { CHROMIUM: chromium } : {}) },
  },
);
process.exitCode = status ?? 1;
