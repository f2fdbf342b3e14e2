/** The rows of text that tiny-world is trained on. */

import { fileURLToPath } from "node:url";
import { joinPath, type Random, randomGenerator, readJsonFile } from "../../src/array/index.js";
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
  /** The share of rows that are nothing but repetitions; the others are of the world's own mixture. */
  readonly repeats: number;
  /** Whether half of those repeat tokens of any kind, and not words and codes as the world's documents do. */
  readonly anyTokens: boolean;
}

/** Rows of token ids: row `i` of a step depends on the seed, the step and `i` alone. */
export async function trainingRows(seed: string): Promise<(options: RowOptions) => Int32Array[]> {
  const tokenizer = (await readJsonFile(
    joinPath(folder, "tokenizer.json"),
  )) as tinyWorld.TokenizerFiles["tokenizer"];
  const encode = tinyWorld.worldEncoder({ tokenizer, config: {} });
  const vocabulary = Object.keys(tokenizer.model.vocab).length;
  const words = tinyWorld.mixture.repeats!;
  const codes = tinyWorld.mixture.codes!;
  const ends = new Set(["\n", "."].flatMap(encode));
  const sentenceStarts = (tokens: readonly number[]): number[] => {
    const starts = tokens.flatMap((token, i) => (ends.has(token) && i + 1 < tokens.length ? [i + 1] : []));
    return [1, ...starts];
  };
  const root = randomGenerator(seed);
  /** Token ids at random, and the same ids again. */
  const randomTokens = (random: Random): number[] => {
    const ids = Array.from(
      { length: 3 + random.integer(random.choice([8, 20, 48])) },
      () => 1 + random.integer(vocabulary - 1),
    );
    return Array.from({ length: ids.length < 20 ? 2 + random.integer(3) : 2 }, () => ids).flat();
  };
  return ({ step, rows, length, repeats, anyTokens }) =>
    Array.from({ length: rows }, (_, row) => {
      const random = root.fork(`${step}/${row}`);
      const repeated = row < repeats * rows;
      const document = (): number[] => {
        if (!repeated) return encode(tinyWorld.generateDocument(random));
        if (anyTokens && random.uniform() < 0.5) return randomTokens(random);
        return encode(random.choice([words, words, words, codes]).passage(random));
      };
      const tokens: number[] = [];
      const write = (): void => {
        tokens.push(END_OF_TEXT, ...document());
      };
      write();
      // Half of the rows begin with a sentence, so that text is understood from there and without a first token.
      const skip = random.uniform() < 0.5 ? 0 : random.choice(sentenceStarts(tokens));
      while (tokens.length < skip + length) write();
      return Int32Array.from(tokens.slice(skip, skip + length));
    });
}
