import { readFileSync } from "node:fs";
import { defineMagic, type Magic } from "../magic.js";
import { UsageError } from "../options.js";
import { pathsFor } from "./paths.js";

const magic: Magic = defineMagic({
  name: "load",
  kind: "line",
  summary: "Puts the text of a file in the place of the cell, to be read and run.",
  usage: "<file>",
  example: "%load helpers.ts",
  typescript: 'import * as helpers from "./helpers.ts"; // runs the file where it stands',
  run({ words, replaceCell }) {
    if (words.length !== 1)
      throw new UsageError(`%load takes one file, such as \`%load helpers.ts\`; ${words.length} words came.`);
    const [file] = words as [string];
    replaceCell(`// %load ${file}\n${readText(file)}`);
  },
  complete: ({ word }) => pathsFor(word),
});

export default magic;

function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new UsageError(
      missing ? `There is no file ${file} in ${process.cwd()}.` : `${file} cannot be read: ${String(error)}`,
    );
  }
  if (bytes.includes(0)) throw new UsageError(`${file} is not a text.`);
  return bytes.toString("utf8");
}
