/** The rows of text that tiny-world is trained on. */

import { fileURLToPath } from "node:url";
import { joinPath, randomGenerator, readJsonFile } from "../../src/array/index.js";
import { tinyWorld } from "../../src/tasks/index.js";

/** The folder of the model. */
export const folder: string = fileURLToPath(new URL(".", import.meta.url));

/** The token between documents. */
const END_OF_TEXT = 0;

/** The rows of one step. */
export interface RowOptions {
  readonly step: number;
  readonly rows: number;
  /** Tokens of a row. */
  readonly length: number;
  /** The share of rows that are nothing but repeated words; the others are of the world's own mixture. */
  readonly repeats: number;
}

/** Rows of token ids: row `i` of a step depends on the seed, the step and `i` alone. */
export async function trainingRows(seed: string): Promise<(options: RowOptions) => Int32Array[]> {
  const tokenizer = (await readJsonFile(
    joinPath(folder, "tokenizer.json"),
  )) as tinyWorld.TokenizerFiles["tokenizer"];
  const encode = tinyWorld.worldEncoder({ tokenizer, config: {} });
  const root = randomGenerator(seed);
  return ({ step, rows, length, repeats }) =>
    Array.from({ length: rows }, (_, row) => {
      const random = root.fork(`${step}/${row}`);
      const tokens: number[] = [];
      const document = row < repeats * rows ? tinyWorld.mixture.repeats!.passage : tinyWorld.generateDocument;
      const write = (): void => {
        tokens.push(END_OF_TEXT, ...encode(document(random)));
      };
      write();
      // Half of the rows begin within a document, so that text is understood from anywhere and without a first token.
      const skip = random.uniform() < 0.5 ? 0 : 1 + random.integer(tokens.length - 1);
      while (tokens.length < skip + length) write();
      return Int32Array.from(tokens.slice(skip, skip + length));
    });
}
