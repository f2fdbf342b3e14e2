// Measures the engine: all programs under bench/, or those that are named. Options go to the programs:
// npm run bench -- forward generate --rounds 5
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fail, repository, run } from "./environment.mjs";

const programs = readdirSync(join(repository, "bench"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3));
const given = process.argv.slice(2);
const first = given.findIndex((argument) => argument.startsWith("-"));
const named = first < 0 ? given : given.slice(0, first);
const options = first < 0 ? [] : given.slice(first);
const unknown = named.find((name) => !programs.includes(name));
if (unknown !== undefined)
  fail(`There is no program "${unknown}" under bench/; there are ${programs.join(", ")}.`);

// What users run is the build; the program "ready" measures it.
run("The build", process.execPath, ["scripts/build.mjs"]);
for (const program of named.length > 0 ? named : programs) {
  console.log(`\n== ${program}`);
  const command = ["--import", "tsx", join("bench", `${program}.ts`), ...options];
  const { status } = spawnSync(process.execPath, command, { stdio: "inherit", cwd: repository });
  if (status !== 0) process.exitCode = 1;
}
