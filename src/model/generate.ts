/** Text generation with a memory of keys and values. */

import { type AnyTensor, randomGenerator, type Tensor } from "../array/index.js";
import * as g from "../graph/index.js";
import { reportProgress, workSignal } from "../runtime/host.js";
import type { Feed } from "../runtime/ort.js";
import type { ModelConfig } from "./config.js";
import type { Edit } from "./edits.js";
import type { Engine, Request } from "./engine.js";
import { feedOf, type NamedHook, runHooked } from "./hooks.js";
import type { Batch } from "./input.js";
import { newMemory } from "./memory.js";
import { ENCODED } from "./parts/context.js";
import { checkSampling, type SamplingOptions, sampleToken } from "./sample.js";

/** What `onToken` is told after each step. */
export interface TokenEvent {
  /** Steps done, from 1 on. */
  readonly step: number;
  /** The new token of each row; `undefined` for rows that have ended. */
  readonly tokens: readonly (number | undefined)[];
  /** The logits that they were chosen by, `[dVocab]` for each row. */
  readonly logits: readonly Float32Array[];
}

/** How text is generated. */
export interface GenerateOptions extends SamplingOptions {
  /** 20 by default. */
  readonly maxNewTokens?: number;
  /** The seed of sampling, 0 by default, or one for each row; the same seed gives the same text. */
  readonly seed?: number | readonly number[];
  /** Whether a row ends at an end-of-text token; yes by default. */
  readonly stopAtEos?: boolean;
  /** Edits that act in every step. */
  readonly edits?: readonly Edit[];
  /** Called after each step. */
  readonly onToken?: (event: TokenEvent) => void | Promise<void>;
  /** Ends the generation between steps. */
  readonly signal?: AbortSignal;
}

/** Continues each row; gives the rows with what was generated, padding left out. */
export async function generateTokens(
  engine: Engine,
  batch: Batch,
  options: GenerateOptions,
  hooks: readonly NamedHook[] = [],
): Promise<number[][]> {
  const { maxNewTokens = 20, seed = 0, stopAtEos = true, onToken } = options;
  checkSampling(options);
  const promptLength = batch.tokens[0]!.length;
  checkLength(promptLength, maxNewTokens, engine.config.nCtx);
  const signal = workSignal(options.signal);
  const count = batch.tokens.length;
  const randoms = batch.tokens.map((_, row) =>
    randomGenerator(typeof seed === "number" ? `${seed}/${row}` : seed[row]!),
  );
  const ends = new Set(stopAtEos ? engine.config.eosTokens : []);
  const edits = engine.lower(options.edits);
  const request = {
    points: [],
    logits: "last",
    edits,
    padded: batch.mask !== undefined,
    cached: true,
  } as const;
  const memory = newMemory(engine.config, count, promptLength + maxNewTokens);
  const run = stepRunner(engine, request, hooks, signal);
  const rows = batch.tokens.map((row) => [...row]);
  const mask = batch.mask?.map((row) => [...row]);
  const texts = rows.map((row, i) => row.filter((_, pos) => mask?.[i]?.[pos] !== 0));
  const ended = rows.map(() => false);
  for (let step = 1; step <= maxNewTokens && ended.includes(false); step++) {
    if (crossesLongContext(engine.config, memory.length, rows[0]!.length)) memory.clear();
    const window = { start: memory.length, promptLength, growing: true };
    const seen = { tokens: rows, mask, source: batch.source };
    const outputs = await run({ ...engine.feeds(seen, edits, window), ...memory.feeds() });
    memory.append(outputs as Record<string, Tensor>, rows[0]!.length - memory.length);
    const logits = rowsOf(outputs.logits as Tensor);
    const chosen = logits.map((row, i) => (ended[i] ? undefined : sampleToken(row, options, randoms[i]!)));
    chosen.forEach((token, i) => {
      // A row that has ended goes on with its last token, which nobody sees, so that the batch stays rectangular.
      rows[i]!.push(token ?? rows[i]!.at(-1)!);
      mask?.[i]?.push(1);
      if (token === undefined) return;
      texts[i]!.push(token);
      ended[i] = ends.has(token);
    });
    await onToken?.({ step, tokens: chosen, logits });
    reportProgress({ task: "generating", done: step, total: maxNewTokens });
    signal?.throwIfAborted();
  }
  return texts;
}

type Run = (feeds: Readonly<Record<string, Feed>>) => Promise<Record<string, AnyTensor>>;

/** What runs a step. Of a model of two stacks the first step runs the encoder, and all steps what follows it. */
function stepRunner(
  engine: Engine,
  request: Request,
  hooks: readonly NamedHook[],
  signal: AbortSignal | undefined,
): Run {
  const { runtime, config } = engine;
  if (!config.encoder && hooks.length === 0) return (feeds) => engine.plan(request).run(feeds, { signal });
  const graph = engine.requested(
    request,
    hooks.map(([name]) => name),
  );
  const runner = (part: g.Graph, own: readonly NamedHook[]): Run => {
    if (own.length > 0) return (feeds) => runHooked(runtime, part, feeds, own, signal);
    const plan = runtime.plan(part);
    return (feeds) => plan.run(feeds, { signal });
  };
  if (!config.encoder) return runner(graph, hooks);
  const { before, after } = g.cut(graph, ENCODED);
  const points = g.pointsOf(before);
  const encode = runner(
    before,
    hooks.filter(([name]) => points.has(name)),
  );
  const write = runner(
    after,
    hooks.filter(([name]) => !points.has(name)),
  );
  let encoded: Record<string, Feed> | undefined;
  return async (feeds) => {
    encoded ??= feedsOf(before, await encode(feeds));
    return write({ ...feeds, ...encoded });
  };
}

/** Values of a graph's outputs, to be fed to another. */
const feedsOf = ({ outputs }: g.Graph, values: Readonly<Record<string, AnyTensor>>): Record<string, Feed> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, feedOf(value, outputs[name]!.dtype)]),
  );

/** Whether the rotation of all positions changes as a text grows, so that keys in memory would be turned wrongly. */
const crossesLongContext = ({ rotary }: ModelConfig, remembered: number, length: number): boolean =>
  rotary?.long !== undefined && remembered <= rotary.long.from && length > rotary.long.from;

function checkLength(prompt: number, maxNewTokens: number, nCtx: number): void {
  if (!Number.isInteger(maxNewTokens) || maxNewTokens < 1)
    throw new Error(`maxNewTokens must be a whole number from 1 on, but is ${maxNewTokens}.`);
  if (prompt + maxNewTokens > nCtx)
    throw new Error(
      `The prompt has ${prompt} tokens and ${maxNewTokens} new ones were asked for, but the model's context is ${nCtx}.`,
    );
}

/** The logits of the last position, row by row. */
function rowsOf(logits: Tensor): Float32Array[] {
  const [batch, length, vocabulary] = logits.shape as [number, number, number];
  return Array.from({ length: batch }, (_, row) => {
    const start = (row * length + length - 1) * vocabulary;
    return logits.data.subarray(start, start + vocabulary);
  });
}
