/** Text generation with a memory of keys and values. */

import { randomGenerator, type Tensor } from "../array/index.js";
import { reportProgress, workSignal } from "../runtime/host.js";
import type { Feed } from "../runtime/ort.js";
import type { ModelConfig } from "./config.js";
import type { Edit } from "./edits.js";
import type { Engine } from "./engine.js";
import { type NamedHook, runHooked } from "./hooks.js";
import type { Batch } from "./input.js";
import { pastName, presentName } from "./parts/context.js";
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
  // A state-space model has no keys and values, and one of two stacks reads its source: each step runs everything.
  const remembers = !engine.config.stateSpace && !engine.config.encoder;
  const request = {
    points: [],
    logits: "last",
    edits,
    padded: batch.mask !== undefined,
    cached: remembers,
  } as const;
  const nLayers = remembers ? engine.config.nLayers : 0;
  const memory = new KeyValueMemory({ ...engine.config, nLayers }, count, promptLength + maxNewTokens);
  const rows = batch.tokens.map((row) => [...row]);
  const mask = batch.mask?.map((row) => [...row]);
  const texts = rows.map((row, i) => row.filter((_, pos) => mask?.[i]?.[pos] !== 0));
  const ended = rows.map(() => false);
  for (let step = 1; step <= maxNewTokens && ended.includes(false); step++) {
    if (crossesLongContext(engine.config, memory.length, rows[0]!.length)) memory.length = 0;
    const window = { start: memory.length, promptLength, growing: true };
    const feeds = {
      ...engine.feeds({ tokens: rows, mask, source: batch.source }, edits, window),
      ...memory.feeds(),
    };
    const outputs =
      hooks.length === 0
        ? await engine.plan(request).run(feeds, { signal })
        : await runHooked(
            engine.runtime,
            engine.requested(
              request,
              hooks.map(([name]) => name),
            ),
            feeds,
            hooks,
            signal,
          );
    memory.append(outputs as Record<string, Tensor>);
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

/** The keys and values of the positions seen so far, `[past, batch, kvHead, dHead]` in each layer. */
class KeyValueMemory {
  /** Positions remembered. */
  length = 0;
  private readonly width: number;
  private readonly buffers = new Map<string, { present: string; data: Float32Array }>();

  constructor(
    private readonly config: ModelConfig,
    private readonly batch: number,
    capacity: number,
  ) {
    this.width = batch * config.nKvHeads * config.dHead;
    for (let layer = 0; layer < config.nLayers; layer++)
      for (const kind of ["key", "value"] as const)
        this.buffers.set(pastName(kind, layer), {
          present: presentName(kind, layer),
          data: new Float32Array(capacity * this.width),
        });
  }

  /** What is remembered, as views of the buffers. */
  feeds(): Record<string, Feed> {
    const shape = [this.length, this.batch, this.config.nKvHeads, this.config.dHead];
    const feed = (data: Float32Array): Feed => ({
      dtype: "float32",
      shape,
      data: data.subarray(0, this.length * this.width),
    });
    return Object.fromEntries([...this.buffers].map(([name, { data }]) => [name, feed(data)]));
  }

  /** Adds the keys and values of new positions. */
  append(outputs: Readonly<Record<string, Tensor>>): void {
    let added = 0;
    for (const { present, data } of this.buffers.values()) {
      const fresh = outputs[present]!;
      data.set(fresh.data, this.length * this.width);
      added = fresh.shape[0]!;
    }
    this.length += added;
  }
}
