/** Writes the tokenizer of tiny-world beside this file: `node --import tsx models/tiny-world/write-tokenizer.ts`. */
import { fileURLToPath } from "node:url";
import { joinPath, writeFile } from "../../src/array/index.js";
import { buildTokenizer } from "../../src/tasks/tiny-world/index.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
const { tokenizer, config } = buildTokenizer();
for (const [name, content] of Object.entries({
  "tokenizer.json": tokenizer,
  "tokenizer_config.json": config,
})) {
  await writeFile(joinPath(folder, name), `${JSON.stringify(content, null, 1)}\n`);
}
