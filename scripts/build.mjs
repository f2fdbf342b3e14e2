// Builds what is run: dist/ (engine and kernel) and the browser half of the widgets.
import { spawnSync } from "node:child_process";

for (const args of [
  ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"],
  ["scripts/code-cache.mjs"],
  ["widgets/build.mjs"],
]) {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
