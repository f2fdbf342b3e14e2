// A fresh process as a user's is: the built package is imported, a model is loaded and gives its first logits.
import { existsSync, readFileSync } from "node:fs";

const [packageUrl, folder, tokens, loads] = process.argv.slice(2);
const rows = JSON.parse(tokens);

/** As `memoryOf` in machine.ts, which this process must not load. */
function memory() {
  if (!existsSync("/proc/self/smaps_rollup")) return undefined;
  const text = readFileSync("/proc/self/smaps_rollup", "utf8") + readFileSync("/proc/self/status", "utf8");
  const bytes = (key) => 1024 * Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)[1]);
  // Pages that are mapped twice count once in Pss, as they take memory once.
  return {
    resident: bytes("Rss"),
    proportional: bytes("Pss"),
    anonymous: bytes("Anonymous"),
    peak: bytes("VmHWM"),
  };
}

const { loadModel } = await import(packageUrl);
const imported = performance.now();
const models = [];
const held = [];
const times = [];
for (let i = 0; i < Number(loads); i++) {
  const start = performance.now();
  const model = await loadModel(folder);
  const loaded = performance.now();
  await model.forward(rows);
  times.push({ load: (loaded - start) / 1000, first: (performance.now() - loaded) / 1000 });
  models.push(model);
  held.push(memory());
}
const { load, first } = times.at(-1);
// performance.now() counts from the start of the process.
const report = { importSeconds: imported / 1000, loadSeconds: load, firstSeconds: first, memory: held };
process.stdout.write(`${JSON.stringify(report)}\n`);
