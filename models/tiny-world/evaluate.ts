/**
 * Measures what tiny-world can do and prints it as a table: `npm run eval:tiny-world`. `--write` puts the table into the
 * model's card, `--count N` takes other than 1,000 prompts, `--model FOLDER` another model with its tokenizer.
 */

import { parseArgs } from "node:util";
import { joinPath, readTextFile, writeFile } from "../../src/array/index.js";
import { loadModel } from "../../src/model/index.js";
import { folder } from "./data.js";
import { type Evaluation, evaluations, type Measured } from "./evaluation.js";

const SEED = "evaluation";
const BEGIN = "<!-- measured by npm run eval:tiny-world -- --write -->";
const END = "<!-- end -->";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000" },
    model: { type: "string", default: folder },
    write: { type: "boolean" },
  },
});
const count = Number(values.count);
if (!Number.isSafeInteger(count) || count < 2)
  throw new Error(`--count takes a whole number from 2 on; ${values.count} came.`);

function line({ phenomenon, measure, atLeast, atMost }: Evaluation, measured: Measured): string {
  const percent = measure === "accuracy" || /stories|sentences|probe|likelier/.test(measure);
  const text = (x: number): string => (percent ? `${(100 * x).toFixed(1)} %` : x.toFixed(3));
  const wanted = atLeast === undefined ? `≤ ${text(atMost!)}` : `≥ ${text(atLeast)}`;
  const reached = atLeast === undefined ? measured.value <= atMost! : measured.value >= atLeast;
  const interval = `${text(measured.low)} to ${text(measured.high)}`;
  return `| ${phenomenon} | ${measure} | ${wanted} | ${text(measured.value)}${reached ? "" : " (not reached)"} | ${interval} | ${measured.count} |`;
}

const model = await loadModel(values.model);
const lines = [
  "| phenomenon | measure | wanted | measured | 95 % interval | prompts |",
  "| --- | --- | --- | --- | --- | --- |",
];
console.log(lines.join("\n"));
for (const evaluation of evaluations) {
  lines.push(line(evaluation, await evaluation.run(model, { count, seed: SEED })));
  console.log(lines.at(-1));
}
if (values.write) {
  const card = joinPath(folder, "README.md");
  const text = await readTextFile(card);
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error(`${card} has no place for the table: "${BEGIN}" and "${END}".`);
  await writeFile(card, `${text.slice(0, begin)}${BEGIN}\n${lines.join("\n")}\n${text.slice(end)}`);
}
