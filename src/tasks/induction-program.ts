import { randomGenerator, type Tensor, tensor } from "../array/index.js";
import { type Model, modelInMemory } from "../model/index.js";
import type { TaskOptions } from "./prompt.js";

/** Options of `inductionProgram`. */
export interface InductionProgramOptions {
  /** Different letters; token 0 begins every sequence, and letters are 1 and on. Default 8. */
  readonly letters?: number;
  /** The longest sequence. Default 16. */
  readonly length?: number;
  /** How much larger the score of the wanted position is than that of any other. Default 20. */
  readonly sharpness?: number;
}

/** A prompt in token ids. */
export interface ProgramPrompt {
  /** A sequence whose last token has come before, once. */
  readonly clean: number[];
  /** A sequence of other tokens, as long, whose last token has come before too. */
  readonly corrupt: number[];
  /** What followed the earlier occurrence. */
  readonly answer: number;
  /** What follows in the corrupt prompt. */
  readonly wrongAnswer: number;
}

/** A model whose circuit is known, since it was written by hand. */
export interface InductionProgram {
  readonly model: Model;
  /**
   * The true edges, with the input split into `embed` and `pos`: all others may be cut, one by one or together, and no
   * logit changes. Edges from `pos` matter where they are set to zero; positions are the same in every prompt.
   */
  readonly edges: readonly string[];
  /** Prompts for it, and `seed` and `count` as for any task. */
  prompts(options?: Omit<TaskOptions, "split">): ProgramPrompt[];
}

/**
 * A transformer compiled by hand that says what followed the last token when it came before: the induction circuit of two
 * heads (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits") as a ground truth for methods that look
 * for circuits. Head 0 of layer 0 copies each token to the place after it; head 0 of layer 1 looks for the place after an
 * equal token. Head 1 of each layer and both MLPs work too, but write where nothing reads.
 *
 * @throws RangeError where there are fewer than 4 letters or places
 * @example
 * ```ts
 * const { model: program, prompts } = inductionProgram();
 * const [{ clean, answer }] = prompts({ count: 1 });
 * await program.metric(clean, logProb({ token: answer })); // almost 0: it is certain
 * ```
 */
export function inductionProgram(options: InductionProgramOptions = {}): InductionProgram {
  const { letters = 8, length = 16, sharpness = 20 } = options;
  for (const [what, value] of Object.entries({ letters, length })) {
    if (!Number.isSafeInteger(value) || value < 4)
      throw new RangeError(`The program takes 4 or more for ${what}; ${value} came.`);
  }
  return {
    model: compile(letters + 1, length, sharpness),
    edges: [
      "embed->a0.h0<v>",
      "pos->a0.h0<q>",
      "pos->a0.h0<k>",
      "a0.h0->a1.h0<k>",
      "embed->a1.h0<q>",
      "embed->a1.h0<v>",
      "a1.h0->logits",
    ],
    prompts: ({ count = 100, seed = 0 } = {}) => drawPrompts(letters, length, count, seed),
  };
}

/** The blocks of the residual stream, by where they begin. */
interface Places {
  readonly token: number;
  readonly position: number;
  readonly previous: number;
  readonly output: number;
  readonly junk: number;
  readonly width: number;
}

function compile(words: number, length: number, sharpness: number): Model {
  const at: Places = {
    token: 0,
    position: words,
    previous: words + length,
    output: 2 * words + length,
    junk: 3 * words + length,
    width: 4 * words + length,
  };
  const dHead = Math.max(words, length);
  // Both factors of a score carry half of it.
  const root = Math.sqrt(sharpness * Math.sqrt(dHead));
  const parameters = new Map<string, Tensor>();
  const matrix = (name: string, rows: number, columns: number, ...diagonals: Diagonal[]): void => {
    const data = new Float32Array(rows * columns);
    for (const { from, to, count, value } of diagonals)
      for (let i = 0; i < count; i++) data[(from + i) * columns + to + i] = value;
    parameters.set(`${name}.weight`, tensor(data, [rows, columns]));
  };
  /** Reads `count` entries from `from` of the residual stream into head `head`, moved by `shift`. */
  const read = (from: number, head: number, count: number, value: number, shift = 0): Diagonal => ({
    from,
    to: head * dHead + shift,
    count,
    value,
  });
  const write = (head: number, to: number): Diagonal => ({ from: head * dHead, to, count: words, value: 1 });
  const layer = (number: number, q: Diagonal[], k: Diagonal[], v: Diagonal[], o: Diagonal[]): void => {
    const name = `blocks.${number}.attn`;
    matrix(`${name}.q`, at.width, 2 * dHead, ...q);
    matrix(`${name}.k`, at.width, 2 * dHead, ...k);
    matrix(`${name}.v`, at.width, 2 * dHead, ...v);
    matrix(`${name}.o`, 2 * dHead, at.width, ...o);
    matrix(`blocks.${number}.mlp.in`, at.width, words, { from: at.token, to: 0, count: words, value: 1 });
    matrix(`blocks.${number}.mlp.out`, words, at.width, { from: 0, to: at.junk, count: words, value: 1 });
  };
  matrix("embed", words, at.width, { from: 0, to: at.token, count: words, value: 1 });
  matrix("pos_embed", length, at.width, { from: 0, to: at.position, count: length, value: 1 });
  layer(
    0,
    [read(at.position, 0, length, root), read(at.position, 1, length, root)],
    // The key of a place is the query of the next one.
    [read(at.position, 0, length - 1, root, 1), read(at.position, 1, length, root)],
    [read(at.token, 0, words, 1), read(at.token, 1, words, 1)],
    [write(0, at.previous), write(1, at.junk)],
  );
  layer(
    1,
    [read(at.token, 0, words, root), read(at.junk, 1, words, root)],
    [read(at.previous, 0, words, root), read(at.token, 1, words, root)],
    [read(at.token, 0, words, 1), read(at.previous, 1, words, 1)],
    [write(0, at.output), write(1, at.junk)],
  );
  matrix("unembed", at.width, words, { from: at.output, to: 0, count: words, value: sharpness });
  const config = {
    model_type: "toy_transformer",
    n_layers: 2,
    n_heads: 2,
    d_model: at.width,
    d_head: dHead,
    d_mlp: words,
    n_ctx: length,
    d_vocab: words,
    act_fn: "relu",
    normalization: null,
    biases: false,
    bos_token_id: 0,
  };
  return modelInMemory(config, { parameters, name: "induction-program" });
}

/** Entries of a matrix along a diagonal. */
interface Diagonal {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly value: number;
}

function drawPrompts(letters: number, length: number, count: number, seed: number | string): ProgramPrompt[] {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`A task takes a count from 1 on; ${count} came.`);
  const random = randomGenerator(seed).fork("induction program");
  const alphabet = Array.from({ length: letters }, (_, i) => i + 1);
  // Every letter once, then one of them again.
  const between = Math.min(letters, length - 2);
  return Array.from({ length: count }, () => {
    const sequence = (): number[] => random.sample(alphabet, between);
    const [clean, corrupt] = [sequence(), sequence()];
    const place = random.integer(between - 1);
    let other = random.integer(between - 1);
    while (corrupt[other + 1] === clean[place + 1] || corrupt[other] === clean[place])
      other = (other + 1) % (between - 1);
    return {
      clean: [0, ...clean, clean[place]!],
      corrupt: [0, ...corrupt, corrupt[other]!],
      answer: clean[place + 1]!,
      wrongAnswer: corrupt[other + 1]!,
    };
  });
}
