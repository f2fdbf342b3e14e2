/** New classifiers of texts: what they are trained on. */

import type { Tensor } from "../array/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import type { Objective } from "../train/index.js";
import type { ModelConfig } from "./config.js";
import type { HfConfig } from "./hf-config.js";
import { batchFeeds, readInput } from "./input.js";
import { newModel } from "./new-model.js";

/** A text as token ids, and the class that it belongs to, by its number or by its name in `config.labels`. */
export interface LabelledText {
  readonly tokens: readonly number[];
  readonly label: number | string;
}

/** A classifier in training. Steps report the `accuracy`, the share of texts whose class has the largest logit. */
export interface TextClassifier extends Objective {
  readonly config: ModelConfig;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** The inputs of a step; texts of unequal lengths are padded. */
  batch(texts: readonly LabelledText[]): Record<string, Feed>;
}

/**
 * A new classifier of texts, to be given to `train` and saved by `saveLanguageModel`. Nothing is dropped out while it is
 * trained.
 *
 * @param json a `config.json` whose architecture ends in `ForSequenceClassification`; `id2label` names the classes
 * @throws if the architecture is no classifier
 *
 * @example
 * ```ts
 * const classifier = newClassifier(
 *   {
 *     model_type: "distilbert",
 *     architectures: ["DistilBertForSequenceClassification"],
 *     dim: 16, n_heads: 2, n_layers: 1, hidden_dim: 32, max_position_embeddings: 8, vocab_size: 10,
 *     id2label: { "0": "sad", "1": "glad" },
 *   },
 *   { seed: 1 },
 * );
 * classifier.batch([{ tokens: [1, 5, 2], label: "glad" }, { tokens: [1, 2], label: 0 }]);
 * ```
 */
export function newClassifier(json: HfConfig, { seed = 0 }: { seed?: number } = {}): TextClassifier {
  const { config, parameters, graph } = newModel(json, seed);
  const { labels } = config;
  if (!labels)
    throw new Error(
      `config.json: ${JSON.stringify(json.architectures)} is no classifier; its architecture must end in ForSequenceClassification.`,
    );
  const logits = graph({ padded: true }).outputs.logits!;
  const right = g.input("labels", "int64", ["batch"]);
  const score = g.gatherElements(logits, g.unsqueeze(right, [1]));
  const hit = g.equal(score, g.max(logits, [1], true));
  return {
    config,
    parameters,
    loss: g.mean(g.crossEntropy(logits, right)),
    report: { accuracy: g.mean(g.cast(hit, "float32")) },
    batch: (texts) => {
      const batch = readInput(
        texts.map(({ tokens }) => tokens),
        { ...config, padToken: config.padToken ?? 0, encode: refuseText },
      );
      const mask = batch.mask ?? batch.tokens.map((row) => row.map(() => 1));
      const ids = texts.map(({ label }) => BigInt(labelNumber(label, labels)));
      return {
        ...batchFeeds({ ...batch, mask }, config),
        labels: { dtype: "int64", shape: [texts.length], data: BigInt64Array.from(ids) },
      };
    },
  };
}

const refuseText = (): never => {
  throw new Error("The texts of a batch are token ids.");
};

/** The number of a class, given by itself or by its name. */
export function labelNumber(label: number | string, labels: readonly string[]): number {
  const id = typeof label === "number" ? label : labels.indexOf(label);
  if (Number.isInteger(id) && id >= 0 && id < labels.length) return id;
  throw new Error(
    `There is no class ${JSON.stringify(label)}; the model's are 0 to ${labels.length - 1}: ${labels.map((name) => `"${name}"`).join(", ")}.`,
  );
}
