/** Writes the tokenizer of tiny-sentiment beside this file: `node --import tsx models/tiny-sentiment/write-tokenizer.ts`. */
import { fileURLToPath } from "node:url";
import { joinPath, writeFile } from "../../src/array/index.js";
import { buildWordPieces } from "../../src/tasks/tiny-world/word-pieces.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
const { tokenizer, config } = buildWordPieces();
for (const [name, content] of Object.entries({
  "tokenizer.json": tokenizer,
  "tokenizer_config.json": config,
})) {
  await writeFile(joinPath(folder, name), `${JSON.stringify(content, null, 1)}\n`);
}
