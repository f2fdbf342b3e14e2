/**
 * Rewrites of a model's weights that leave its function as it is and make its parts easier to read, as TransformerLens
 * does by default and this engine only where asked: logits are the model's own unless a user wants it otherwise.
 */

import { contiguous, type LazyTensor, type Tensor, tensor } from "../array/index.js";
import type { ModelConfig } from "./config.js";
import { derivedParameters } from "./derived.js";
import { blocksOf, expectedShapes, mlpMaps } from "./expected-parameters.js";
import type { Block, DenseMlp, Layout, Linear, Norm } from "./family.js";
import { biasOf, matrixOf, partColumns } from "./maps.js";
import type { Parameters } from "./parameters.js";

/** Which rewrites; none by default. */
export interface Processing {
  /**
   * The weights and biases of norms go into the maps that read them, which are centred where the norm subtracts the
   * mean. The norms are left with weights of 1 and no bias.
   */
  readonly foldLn?: boolean;
  /** What is written to the residual stream has mean zero over its width; for models whose norms subtract the mean. */
  readonly centerWritingWeights?: boolean;
  /** The logits of each position have mean zero over the vocabulary; their softmax is the same. */
  readonly centerUnembed?: boolean;
  /** What biases of values add to the output goes into the bias of the output, since patterns sum to 1. */
  readonly foldValueBiases?: boolean;
}

/** A model's parts after its weights were rewritten. */
export interface Processed {
  readonly config: ModelConfig;
  readonly layout: Layout;
  readonly parameters: Parameters;
}

/** Every rewrite that has a meaning for a model. */
export function allProcessing(config: ModelConfig, layout: Layout): Processing {
  const can = (processing: Processing): boolean => refusal(config, layout, processing) === undefined;
  return {
    foldLn: can({ foldLn: true }),
    centerWritingWeights: can({ centerWritingWeights: true }),
    centerUnembed: can({ centerUnembed: true }),
    foldValueBiases: can({ foldValueBiases: true }),
  };
}

/**
 * The model with its weights rewritten. The result is float32, and lies in the cache folder.
 *
 * @throws if a rewrite would change what the model computes, saying why
 */
export async function processWeights(
  { config, layout, parameters }: Processed,
  processing: Processing,
  signal?: AbortSignal,
): Promise<Processed> {
  const refused = refusal(config, layout, processing);
  if (refused) throw new Error(refused);
  const rewritten = processedLayout(layout);
  const untied = { ...config, tiedEmbeddings: false };
  const values = new Rewriter(config, layout, parameters, processing).values();
  const tensors = new Map<string, LazyTensor>();
  for (const [name, shape] of expectedShapes(untied, rewritten)) {
    const make = values.get(name);
    if (!make && !parameterExists(parameters, name)) continue;
    const read = (): ReturnType<LazyTensor["read"]> => {
      const { data } = contiguous(make ? make() : parameters.read(name));
      return { dtype: "float32", shape, data };
    };
    tensors.set(name, { dtype: "float32", shape, read });
  }
  const { foldLn, centerWritingWeights, centerUnembed, foldValueBiases } = processing;
  const flags = [foldLn, centerWritingWeights, centerUnembed, foldValueBiases].map(Boolean);
  const name = `processed ${JSON.stringify([config.family, flags])}`;
  const made = await derivedParameters(parameters.files, { name, tensors, ...(signal ? { signal } : {}) });
  return { config: untied, layout: rewritten, parameters: made };
}

function parameterExists(parameters: Parameters, name: string): boolean {
  try {
    parameters.info(name);
    return true;
  } catch {
    return false;
  }
}

/** Why a rewrite has no meaning for a model; `undefined` where it has one. */
function refusal(config: ModelConfig, layout: Layout, processing: Processing): string | undefined {
  const { family, normalization, normPlacement } = config;
  const because = (what: keyof Processing, why: string): string =>
    `"${what}" has no meaning for ${family}: ${why}.`;
  const reader = layout.classifier || layout.transform || layout.unembedProjection || !layout.unembed;
  const asked = Object.entries(processing).find(([, wanted]) => wanted)?.[0] as keyof Processing | undefined;
  if (asked && (layout.encoder || layout.stateSpace))
    return because(asked, "it is not one stack of attention and MLPs");
  if (processing.foldLn) {
    if (normPlacement !== "before")
      return because("foldLn", "its norms do not act on what attention and MLP read");
    if (reader) return because("foldLn", "other layers stand between its final norm and its logits");
  }
  if (processing.centerWritingWeights) {
    if (normalization !== "LN")
      return because("centerWritingWeights", "its norms do not subtract the mean, so the mean matters");
    if (normPlacement !== "before" || layout.block(0).ln1Post || layout.embedNorm || layout.embedProjection)
      return because("centerWritingWeights", "norms act on what is written to its residual stream");
    if (!layout.lnFinal) return because("centerWritingWeights", "no norm reads its last residual stream");
  }
  if (processing.centerUnembed) {
    if (reader && !layout.unembed) return because("centerUnembed", "it has no unembedding");
    if (config.logitCap !== undefined)
      return because("centerUnembed", "its logits are capped, so what is added to all of them matters");
  }
  return undefined;
}

const unembedWeight = "processed.unembed.weight";

/** The layout in which every map that a bias may come to has one, and the unembedding is a matrix of its own. */
function processedLayout(layout: Layout): Layout {
  return {
    ...layout,
    ...(layout.unembed ? { unembed: withBias({ ...layout.unembed, weight: unembedWeight }) } : {}),
    block: (layer) => {
      const block = layout.block(layer);
      const { q, k, v, qkv, o, mlp } = block;
      return {
        ...block,
        q: withBias(q),
        k: withBias(k),
        v: withBias(v),
        ...(qkv ? { qkv: withBias(qkv) } : {}),
        o: withBias(o),
        ...(mlp ? { mlp: mlpWithBiases(mlp) } : {}),
      };
    },
  };
}

const withBias = (map: Linear): Linear => (map.bias === undefined ? { ...map, bias: biasName(map) } : map);
const biasName = ({ weight }: Linear): string => `${weight}.bias`;

const mlpWithBiases = (mlp: NonNullable<Block["mlp"]>): NonNullable<Block["mlp"]> =>
  "router" in mlp
    ? { router: withBias(mlp.router), experts: mlp.experts.map(denseWithBiases) }
    : denseWithBiases(mlp);

const denseWithBiases = (mlp: DenseMlp): DenseMlp => ({
  in: withBias(mlp.in),
  ...(mlp.gate ? { gate: withBias(mlp.gate) } : {}),
  ...(mlp.gateIn ? { gateIn: withBias(mlp.gateIn) } : {}),
  out: withBias(mlp.out),
});

type Make = () => Tensor;

/** The rewritten value of each parameter that changes, made when it is asked for. */
class Rewriter {
  private readonly made = new Map<string, Make>();

  constructor(
    private readonly config: ModelConfig,
    private readonly layout: Layout,
    private readonly parameters: Parameters,
    private readonly processing: Processing,
  ) {}

  values(): ReadonlyMap<string, Make> {
    const { layout, processing } = this;
    for (const block of blocksOf(this.config, layout)) this.block(block);
    if (layout.lnFinal && processing.foldLn) this.plainNorm(layout.lnFinal);
    if (layout.unembed) this.unembed(layout.unembed);
    if (processing.centerWritingWeights)
      for (const table of [layout.embed, layout.positions, layout.tokenTypes])
        if (table !== undefined) this.made.set(table, () => centredRows(this.parameters.read(table)));
    return this.made;
  }

  private block({ ln1, ln2, q, k, v, qkv, o, mlp }: Block): void {
    const { foldLn } = this.processing;
    const readers: [Linear, Norm | undefined][] = [];
    for (const map of [q, k, v, ...(qkv ? [qkv] : [])]) readers.push([map, ln1]);
    const dense = mlp === undefined ? [] : "router" in mlp ? mlp.experts : [mlp];
    const writers = new Set([o, ...dense.map(({ out }) => out)]);
    for (const map of mlpMaps(mlp)) if (!writers.has(map)) readers.push([map, ln2 ?? ln1]);
    for (const [map, norm] of readers) this.reader(map, foldLn ? norm : undefined);
    for (const map of writers) this.writer(map, map === o ? v : undefined);
    if (foldLn) for (const norm of [ln1, ln2]) if (norm) this.plainNorm(norm);
  }

  /** A norm whose weights have gone elsewhere. */
  private plainNorm({ weight, bias, size = this.config.dModel }: Norm): void {
    const one = 1 - (this.config.normOffset ?? 0);
    this.made.set(weight, () => tensor(new Float32Array(size).fill(one), [size]));
    if (bias !== undefined) this.made.set(bias, () => tensor(new Float32Array(size), [size]));
  }

  /** A map that reads the residual stream through a norm. Maps that share a matrix are rewritten as one. */
  private reader(map: Linear, norm: Norm | undefined): void {
    const whole = wholeMap(map);
    const bias = map.bias ?? biasName(map);
    this.made.set(map.weight, () => asStored(this.foldedMatrix(whole, norm), map));
    const folded = (): Tensor => tensor(this.foldedBias(whole, norm), [whole.dOut]);
    this.made.set(bias, folded);
    const isValues = this.processing.foldValueBiases && this.isValueMap(map);
    if (isValues)
      this.made.set(bias, () => {
        const values = folded();
        for (const column of this.valueColumns(map)) values.data[column] = 0;
        return values;
      });
  }

  private isValueMap(map: Linear): boolean {
    return blocksOf(this.config, this.layout).some(({ v }) => v.weight === map.weight);
  }

  /** Which outputs of the matrix that a map belongs to are values. */
  private valueColumns(map: Linear): number[] {
    const { v } = blocksOf(this.config, this.layout).find(({ v }) => v.weight === map.weight)!;
    return v.part ? partColumns(v) : Array.from({ length: v.dOut }, (_, i) => i);
  }

  private foldedMatrix(map: Linear, norm: Norm | undefined): Tensor {
    const matrix = writable(matrixOf(this.parameters, map));
    if (!norm) return matrix;
    const weight = this.normWeight(norm);
    const [dIn, dOut] = matrix.shape as [number, number];
    for (let i = 0; i < dIn; i++) for (let j = 0; j < dOut; j++) matrix.data[i * dOut + j]! *= weight[i]!;
    return this.config.normalization === "LN" ? centredColumns(matrix) : matrix;
  }

  private foldedBias(map: Linear, norm: Norm | undefined): Float32Array {
    const bias = biasOf(this.parameters, map);
    if (!norm || norm.bias === undefined) return bias;
    const { data: added } = this.parameters.read(norm.bias);
    return plusProduct(bias, added, matrixOf(this.parameters, map));
  }

  private normWeight({ weight }: Norm): Float32Array {
    const { data } = this.parameters.read(weight);
    const { normOffset = 0 } = this.config;
    return normOffset === 0 ? data : data.map((value) => value + normOffset);
  }

  /** A map that writes to the residual stream; `values` is the one whose biases go into its own. */
  private writer(map: Linear, values: Linear | undefined): void {
    const { centerWritingWeights, foldValueBiases } = this.processing;
    const centred = (x: Tensor): Tensor => (centerWritingWeights ? centredRows(x) : x);
    const matrix = (): Tensor => centred(matrixOf(this.parameters, map));
    this.made.set(map.weight, () => asStored(matrix(), map));
    this.made.set(map.bias ?? biasName(map), () => {
      const bias = centred(tensor(biasOf(this.parameters, map), [map.dOut]));
      if (!values || !foldValueBiases) return bias;
      return tensor(plusProduct(bias.data, this.valueBiases(values), matrix()), [map.dOut]);
    });
  }

  /** The biases of values, after the norm went into them, for every query head. */
  private valueBiases(map: Linear): Float32Array {
    const { nHeads, nKvHeads, dHead } = this.config;
    const block = blocksOf(this.config, this.layout).find(({ v }) => v.weight === map.weight)!;
    const biases = this.foldedBias(map, this.processing.foldLn ? block.ln1 : undefined);
    const group = nHeads / nKvHeads;
    return Float32Array.from(
      { length: nHeads * dHead },
      (_, i) => biases[Math.floor(i / (group * dHead)) * dHead + (i % dHead)]!,
    );
  }

  private unembed(map: Linear): void {
    const { foldLn, centerUnembed } = this.processing;
    const norm = foldLn ? this.layout.lnFinal : undefined;
    const centred = (x: Tensor): Tensor => (centerUnembed ? centredRows(x) : x);
    this.made.set(unembedWeight, () => asStored(centred(this.foldedMatrix(map, norm)), map));
    this.made.set(map.bias ?? biasName({ ...map, weight: unembedWeight }), () =>
      centred(tensor(this.foldedBias(map, norm), [map.dOut])),
    );
  }
}

/** The matrix that a map is a part of, as a map. */
const wholeMap = ({ part, ...map }: Linear): Linear => (part ? { ...map, dOut: part.of } : map);

/** `[in, out]` in the arrangement of the file. */
const asStored = (matrix: Tensor, { layout }: Linear): Tensor =>
  layout === "inOut" ? matrix : (matrix.transpose(1, 0) as Tensor);

const writable = (x: Tensor): Tensor => tensor(contiguous(x).data.slice(), x.shape);

/** Each row without its mean. */
function centredRows(x: Tensor): Tensor {
  const result = writable(x);
  const width = x.shape.at(-1)!;
  for (let from = 0; from < result.data.length; from += width) {
    let sum = 0;
    for (let i = from; i < from + width; i++) sum += result.data[i]!;
    for (let i = from; i < from + width; i++) result.data[i]! -= sum / width;
  }
  return result;
}

/** Each column without its mean. */
function centredColumns(x: Tensor): Tensor {
  const [rows, columns] = x.shape as [number, number];
  const sums = new Float64Array(columns);
  for (let at = 0; at < x.data.length; at++) sums[at % columns]! += x.data[at]!;
  const result = writable(x);
  for (let at = 0; at < result.data.length; at++) result.data[at]! -= sums[at % columns]! / rows;
  return result;
}

/** `bias + x W`, summed in double precision. */
function plusProduct(bias: Float32Array, x: Float32Array, matrix: Tensor): Float32Array {
  const sums = Float64Array.from(bias);
  const { data } = contiguous(matrix);
  const width = bias.length;
  for (let i = 0; i < x.length; i++) for (let j = 0; j < width; j++) sums[j]! += x[i]! * data[i * width + j]!;
  return Float32Array.from(sums);
}
