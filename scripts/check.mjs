// Everything that can be said about the code without running it: types, lint and format, import directions, cycles.
import { spawnSync } from "node:child_process";

const node = process.execPath;
const checks = {
  types: [node, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"]],
  "types of the tests": [node, ["node_modules/typescript/bin/tsc", "-p", "test/tsconfig.json"]],
  "types of the build": [
    node,
    ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--noEmit", "--incremental", "false"],
  ],
  "types of the views": [
    node,
    ["node_modules/typescript/bin/tsc", "-p", "widgets/tsconfig.json", "--noEmit"],
  ],
  "lint and format": [node, ["node_modules/@biomejs/biome/bin/biome", "check", "."]],
  "import directions and cycles": [
    node,
    [
      "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
      "--config",
      ".dependency-cruiser.mjs",
      "src",
      "kernel",
      "widgets",
    ],
  ],
};

let failed = 0;
for (const [name, [command, args]] of Object.entries(checks)) {
  console.log(`== ${name}`);
  if (spawnSync(command, args, { stdio: "inherit" }).status !== 0) {
    console.error(`check failed: ${name}`);
    failed++;
  }
}
process.exitCode = failed ? 1 : 0;
