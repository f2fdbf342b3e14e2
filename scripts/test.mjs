// Sets up, then runs the tests. Arguments go to mocha.
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
const mocha = join(repository, "node_modules", "mocha", "bin", "mocha.js");
const { status } = spawnSync(
  process.execPath,
  [mocha, "--reporter", "scripts/reporter.mjs", ...process.argv.slice(2)],
  {
    stdio: "inherit",
    cwd: repository,
    env: { ...process.env, ...(chromium ? { CHROMIUM: chromium } : {}) },
  },
);
process.exitCode = status ?? 1;
