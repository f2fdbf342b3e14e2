/** A fresh process that runs a model with all points kept, once for each line on its input. */

import { createInterface } from "node:readline";
import { loadModel } from "../../src/model/index.js";

const [folder, tokens] = process.argv.slice(2) as [string, string];
const rows = JSON.parse(tokens) as number[][];
const model = await loadModel(folder);
await model.forward([rows[0]!.slice(0, 2)]);
console.log(JSON.stringify({ ready: true }));
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ returned: await runOnce() }));
}

/** Bytes that a run gave back; a function of its own, so that nothing holds them when the next one begins. */
async function runOnce(): Promise<number> {
  const { logits, cache } = await model.runWithCache(rows);
  const shared = cache.get("unembed.hook_out").data === logits.data;
  return cache.byteLength + (shared ? 0 : logits.data.byteLength);
}
