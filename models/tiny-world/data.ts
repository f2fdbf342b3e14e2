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
  /** The share of rows that are nothing but repeated words and codes; the others are of the world's own mixture. */
  readonly repeats: number;
}

/** Rows of token ids: row `i` of a step depends on the seed, the step and `i` alone. */
export async function trainingRows(seed: string): Promise<(options: RowOptions) => Int32Array[]> {
  const tokenizer = (await readJsonFile(
    joinPath(folder, "tokenizer.json"),
  )) as tinyWorld.TokenizerFiles["tokenizer"];
  const encode = tinyWorld.worldEncoder({ tokenizer, config: {} });
  const words = tinyWorld.mixture.repeats!;
  const codes = tinyWorld.mixture.codes!;
  const ends = new Set(["\n", "."].flatMap(encode));
  const sentenceStarts = (tokens: readonly number[]): number[] => {
    const starts = tokens.flatMap((token, i) => (ends.has(token) && i + 1 < tokens.length ? [i + 1] : []));
    return [1, ...starts];
  };
  const root = randomGenerator(seed);
  return ({ step, rows, length, repeats }) =>
    Array.from({ length: rows }, (_, row) => {
      const random = root.fork(`${step}/${row}`);
      const repeated = row < repeats * rows;
      const document = (): string => {
        if (!repeated) return tinyWorld.generateDocument(random);
        return random.choice([words, words, words, codes]).passage(random);
      };
      const tokens: number[] = [];
      const write = (): void => {
        tokens.push(END_OF_TEXT, ...encode(document()));
      };
      write();
      // Half of the rows begin with a sentence, so that text is understood from there and without a first token.
      const skip = random.uniform() < 0.5 ? 0 : random.choice(sentenceStarts(tokens));
      while (tokens.length < skip + length) write();
      return Int32Array.from(tokens.slice(skip, skip + length));
    });
}
