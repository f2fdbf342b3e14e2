/**
 * The residual stream as a sum of components, with the vocabulary of TransformerLens's `ActivationCache`: what each
 * layer, head or neuron has written, and what that does to logits.
 */

import { contiguous, type Tensor, tensor } from "../array/index.js";
import type { ModelConfig } from "./config.js";
import type { ModelWeights } from "./weights.js";

/** Components of the residual stream. */
export interface ResidualStack {
  /** `[component, batch, pos, dModel]`, or `[component, batch, dModel]` at one position. */
  readonly values: Tensor;
  /** The names of the components, such as `"embed"`, `"0_attn_out"`, `"L1H3"`, `"L0N17"`. */
  readonly labels: readonly string[];
  /** The position, where there is one; negative ones count from the end. */
  readonly pos?: number;
  /**
   * What of the norm that reads the components was applied: nothing; its scale in the run (a linear map, so that sums stay
   * sums); or all of it, with the scale of each component of its own.
   */
  readonly normalized: "no" | "scale" | "whole";
}

/** Which residual stream is taken apart. */
export interface StackOptions {
  /** The stream that enters this block; `nLayers`, the default, is the last one, which the unembedding reads. */
  readonly layer?: number;
  /** The stream that enters the MLP of that block instead. */
  readonly mlpInput?: boolean;
  /** One position; negative ones count from the end. All by default. */
  readonly pos?: number;
  /**
   * Divides each component by the scale of the norm that reads the stream; centres it first where the norm does. Whole
   * streams before the unembedding (`accumulatedResid`) get the final norm itself, as in the logit lens.
   */
  readonly applyLn?: boolean;
}

/** What stacks are made from. */
export interface StackSource {
  readonly config: ModelConfig;
  readonly weights: ModelWeights;
  /** The value at a point, or an error if the run did not keep it. */
  readonly get: (name: string) => Tensor;
  /** Weight and bias of the final norm, where there is one. */
  readonly finalNorm: () => { readonly weight?: Float32Array; readonly bias?: Float32Array };
  /** The id of a text that is one token. */
  readonly tokenId: (text: string) => number;
}

/** A stream, checked: whole layers before it, and whether the attention of the next one belongs to it. */
interface Place {
  readonly layer: number;
  readonly mlpInput: boolean;
}

function placeOf({ config }: StackSource, { layer, mlpInput = false }: StackOptions): Place {
  const { nLayers, normPlacement, parallel, family } = config;
  const at = layer === undefined || layer === -1 ? nLayers : layer;
  if (!Number.isInteger(at) || at < 0 || at > nLayers)
    throw new Error(`layer must be a whole number from 0 to ${nLayers}, but is ${layer}.`);
  if (normPlacement === "after")
    throw new Error(
      `The residual stream of ${family} is normalised after each sum, so it is no sum of components.`,
    );
  if (mlpInput && at === nLayers)
    throw new Error(`There is no MLP after the last block; mlpInput goes with a layer below ${nLayers}.`);
  if (mlpInput && parallel)
    throw new Error(`The MLPs of ${family} read what attention reads; mlpInput has no meaning here.`);
  return { layer: at, mlpInput };
}

/** The residual streams before each block up to one, and that one: the sums so far. */
export function accumulatedResid(
  source: StackSource,
  options: StackOptions & { readonly inclMid?: boolean },
): ResidualStack {
  const place = placeOf(source, options);
  const parts: [string, string][] = [];
  for (let l = 0; l <= place.layer; l++) {
    if (l === source.config.nLayers) parts.push(["final_post", `blocks.${l - 1}.hook_resid_post`]);
    else parts.push([`${l}_pre`, `blocks.${l}.hook_resid_pre`]);
    if ((options.inclMid && l < place.layer) || (place.mlpInput && l === place.layer))
      parts.push([`${l}_mid`, `blocks.${l}.hook_resid_mid`]);
  }
  const streams = pointsOf(source, parts, options);
  if (!options.applyLn || place.layer < source.config.nLayers) return finish(source, streams, place, options);
  const stack = finish(source, streams, place, { ...options, applyLn: false });
  return { ...stack, values: finalNormed(source, stack.values), normalized: "whole" };
}

/** What embeddings, attention layers and MLPs have added up to a stream. */
export function decomposeResid(
  source: StackSource,
  options: StackOptions & { readonly mode?: "all" | "attn" | "mlp"; readonly inclEmbeds?: boolean },
): ResidualStack {
  const place = placeOf(source, options);
  const { mode = "all", inclEmbeds = true } = options;
  const parts: [string, string][] = inclEmbeds ? embeddings(source) : [];
  for (let l = 0; l < place.layer; l++) {
    if (mode !== "mlp") parts.push([`${l}_attn_out`, `blocks.${l}.hook_attn_out`]);
    if (mode !== "attn" && hasMlp(source)) parts.push([`${l}_mlp_out`, `blocks.${l}.hook_mlp_out`]);
  }
  if (place.mlpInput && mode !== "mlp")
    parts.push([`${place.layer}_attn_out`, `blocks.${place.layer}.hook_attn_out`]);
  return finish(source, pointsOf(source, parts, options), place, options);
}

const hasMlp = ({ weights }: StackSource): boolean => weights.names.includes("W_out");

function embeddings({ weights, get }: StackSource): [string, string][] {
  const parts: [string, string][] = [["embed", "hook_embed"]];
  if (weights.names.includes("W_pos")) parts.push(["pos_embed", "hook_pos_embed"]);
  if (weights.names.includes("W_token_type")) parts.push(["token_type_embed", "hook_token_type_embed"]);
  const normed = "hook_full_embed";
  try {
    get(normed);
    return [["embed", normed]];
  } catch {
    return parts;
  }
}

/** What each head of the blocks before `layer` has added, without the biases of the outputs. */
export function stackHeadResults(
  source: StackSource,
  options: Omit<StackOptions, "mlpInput"> & { readonly inclRemainder?: boolean },
): ResidualStack {
  const place = placeOf(source, options);
  const { nHeads } = source.config;
  const parts: Parts = { labels: [], values: [] };
  for (let l = 0; l < place.layer; l++) {
    const results = at(source.get(`blocks.${l}.attn.hook_result`), options.pos);
    for (let head = 0; head < nHeads; head++) {
      parts.labels.push(`L${l}H${head}`);
      const index = results.shape.map((_, axis) => (axis === results.shape.length - 2 ? head : null));
      parts.values.push(results.pick(...index) as Tensor);
    }
  }
  return finish(source, withRemainder(source, parts, place, options), place, options);
}

/** What each neuron of the MLPs before `layer` has added: its activation times its row of `W_out`. */
export function stackNeuronResults(
  source: StackSource,
  options: Omit<StackOptions, "mlpInput"> & {
    readonly inclRemainder?: boolean;
    readonly neurons?: readonly number[];
  },
): ResidualStack {
  const place = placeOf(source, options);
  const parts: Parts = { labels: [], values: [] };
  const wOut = source.weights.get("W_out");
  if (wOut.shape.length !== 3)
    throw new Error("The MLPs of this model have several experts; neurons are not taken apart.");
  const [, dMlp, dModel] = wOut.shape as [number, number, number];
  const neurons = options.neurons ?? Array.from({ length: dMlp }, (_, n) => n);
  for (const neuron of neurons)
    if (!Number.isInteger(neuron) || neuron < 0 || neuron >= dMlp)
      throw new RangeError(`There is no neuron ${neuron}: they go from 0 to ${dMlp - 1}.`);
  for (let l = 0; l < place.layer; l++) {
    const post = contiguous(at(source.get(`blocks.${l}.mlp.hook_post`), options.pos));
    const rows = post.data.length / dMlp;
    for (const neuron of neurons) {
      const from = (l * dMlp + neuron) * dModel;
      const weights = wOut.data.subarray(from, from + dModel);
      const result = new Float32Array(rows * dModel);
      for (let row = 0; row < rows; row++) {
        const activation = post.data[row * dMlp + neuron]!;
        for (let i = 0; i < dModel; i++) result[row * dModel + i] = activation * weights[i]!;
      }
      parts.labels.push(`L${l}N${neuron}`);
      parts.values.push(tensor(result, [...post.shape.slice(0, -1), dModel]));
    }
  }
  return finish(source, withRemainder(source, parts, place, options), place, options);
}

/**
 * A stream as heads, neurons (or whole MLPs), embeddings and all biases together, which add up to it.
 */
export function fullResidDecomposition(
  source: StackSource,
  options: StackOptions & { readonly expandNeurons?: boolean },
): ResidualStack {
  const place = placeOf(source, options);
  const { pos, expandNeurons = true } = options;
  const own = { layer: place.layer, ...(pos === undefined ? {} : { pos }) };
  const { nLayers } = source.config;
  const heads = stackHeadResults(source, { ...own, layer: place.layer + (place.mlpInput ? 1 : 0) });
  const stacks = [heads];
  if (hasMlp(source) && place.layer > 0)
    stacks.push(
      expandNeurons
        ? stackNeuronResults(source, own)
        : decomposeResid(source, { ...own, mode: "mlp", inclEmbeds: false }),
    );
  stacks.push(finish(source, pointsOf(source, embeddings(source), options), place, {}));
  const bias = new Float32Array(source.config.dModel);
  const add = (name: string, layers: number): void => {
    const all = source.weights.get(name);
    for (let l = 0; l < Math.min(layers, nLayers); l++)
      for (let i = 0; i < bias.length; i++) bias[i]! += all.get(l, i);
  };
  add("b_O", place.layer + (place.mlpInput ? 1 : 0));
  if (expandNeurons && hasMlp(source)) add("b_out", place.layer);
  const shape = stacks.at(-1)!.values.shape.slice(1);
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const repeated = new Float32Array(rows * bias.length);
  for (let row = 0; row < rows; row++) repeated.set(bias, row * bias.length);
  const parts: Parts = {
    labels: [...stacks.flatMap(({ labels }) => labels), "bias"],
    values: [...stacks.flatMap(({ values }) => components(values)), tensor(repeated, shape)],
  };
  return finish(source, parts, place, options);
}

/**
 * Components divided by the scale of the norm that reads the stream (centred first where the norm subtracts the mean),
 * with the scale of the run: the norm as a linear map. The norm's weights are not applied.
 */
export function applyLnToStack(
  source: StackSource,
  stack: ResidualStack,
  options: Pick<StackOptions, "layer" | "mlpInput">,
): ResidualStack {
  if (stack.normalized !== "no") throw new Error("The stack has been normalised already.");
  const place = placeOf(source, options);
  const values = divided(source, stack.values, place, stack.pos);
  return { ...stack, values, normalized: "scale" };
}

// ---- inside

interface Parts {
  labels: string[];
  values: Tensor[];
}

function pointsOf(
  source: StackSource,
  parts: readonly [label: string, point: string][],
  { pos }: StackOptions,
): Parts {
  return {
    labels: parts.map(([label]) => label),
    values: parts.map(([, point]) => at(source.get(point), pos)),
  };
}

/** A value at one position of its second axis; all of it where none is given. */
function at(value: Tensor, pos: number | undefined): Tensor {
  if (pos === undefined) return value;
  const length = value.shape[1]!;
  const index = pos < 0 ? pos + length : pos;
  if (!Number.isInteger(pos) || index < 0 || index >= length)
    throw new RangeError(`There is no position ${pos}: the run has ${length}.`);
  return value.pick(null, index, ...value.shape.slice(2).map(() => null)) as Tensor;
}

function withRemainder(
  source: StackSource,
  parts: Parts,
  { layer }: Place,
  { inclRemainder, pos }: StackOptions & { readonly inclRemainder?: boolean },
): Parts {
  if (!inclRemainder) return parts;
  const stream = layer === 0 ? "blocks.0.hook_resid_pre" : `blocks.${layer - 1}.hook_resid_post`;
  const whole = contiguous(at(source.get(stream), pos));
  const rest = Float64Array.from(whole.data);
  for (const value of parts.values) {
    const { data } = contiguous(value);
    for (let i = 0; i < rest.length; i++) rest[i]! -= data[i]!;
  }
  return {
    labels: [...parts.labels, "remainder"],
    values: [...parts.values, tensor(Float32Array.from(rest), whole.shape)],
  };
}

function finish(
  source: StackSource,
  { labels, values }: Parts,
  place: Place,
  { pos, applyLn = false }: StackOptions,
): ResidualStack {
  const whole = stacked(values, source, pos);
  const done = applyLn ? divided(source, whole, place, pos) : whole;
  return {
    values: done,
    labels,
    ...(pos === undefined ? {} : { pos }),
    normalized: applyLn ? "scale" : "no",
  };
}

function stacked(values: readonly Tensor[], source: StackSource, pos: number | undefined): Tensor {
  const { shape } = values[0] ?? at(source.get("blocks.0.hook_resid_pre"), pos);
  const size = shape.reduce((a, b) => a * b, 1);
  const data = new Float32Array(values.length * size);
  values.forEach((value, i) => {
    data.set(contiguous(value).data, i * size);
  });
  return tensor(data, [values.length, ...shape]);
}

const components = (values: Tensor): Tensor[] =>
  Array.from({ length: values.shape[0]! }, (_, i) =>
    values.pick(i, ...values.shape.slice(1).map(() => null)),
  ) as Tensor[];

function divided(source: StackSource, stack: Tensor, { layer, mlpInput }: Place, pos?: number): Tensor {
  const { nLayers, normalization, normPlacement } = source.config;
  if (normPlacement !== "before" && layer !== nLayers)
    throw new Error("The blocks of this model have no norms that read the residual stream.");
  const name = layer === nLayers ? "ln_final" : `blocks.${layer}.${mlpInput ? "ln2" : "ln1"}`;
  const scale = contiguous(at(source.get(`${name}.hook_scale`), pos)).data;
  const { data, shape } = contiguous(stack);
  const width = shape.at(-1)!;
  const result = new Float32Array(data.length);
  for (let row = 0; row < data.length / width; row++) {
    const from = row * width;
    let mean = 0;
    if (normalization === "LN") {
      for (let i = 0; i < width; i++) mean += data[from + i]!;
      mean /= width;
    }
    const divisor = scale[row % scale.length]!;
    for (let i = from; i < from + width; i++) result[i] = (data[i]! - mean) / divisor;
  }
  return tensor(result, shape);
}

/** Each state after the model's final norm, by its own mean and scale. */
function finalNormed(source: StackSource, stack: Tensor): Tensor {
  const { normalization, epsilon } = source.config;
  const { weight, bias } = source.finalNorm();
  if (!weight) throw new Error("This model has no final norm.");
  const { data, shape } = contiguous(stack);
  const width = shape.at(-1)!;
  const result = new Float32Array(data.length);
  for (let from = 0; from < data.length; from += width) {
    const row = data.subarray(from, from + width);
    const mean = normalization === "LN" ? row.reduce((sum, value) => sum + value, 0) / width : 0;
    const square = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    const scale = Math.sqrt(square + epsilon);
    for (let i = 0; i < width; i++)
      result[from + i] = ((row[i]! - mean) / scale) * weight[i]! + (bias?.[i] ?? 0);
  }
  return tensor(result, shape);
}
