/**
 * Compiled programs (Lindner et al. 2023, "Tracr: Compiled Transformers as a Laboratory for Interpretability"): models whose
 * every weight has a known meaning, and whose circuit is known.
 */

import { contiguous, npyToTensor, readJsonFile, readNpz, type Tensor, tensor } from "../array/index.js";
import { modelInMemory } from "./memory-model.js";
import type { Model } from "./model.js";

/** A token or an output of a program. */
export type TracrValue = string | number | boolean;

/** What is known of a compiled program. */
export interface TracrProgram {
  /** Its name, such as `"reverse"`. */
  readonly name: string;
  /** The input's vocabulary, by token id; the token that begins a sequence is among it. */
  readonly tokens: readonly TracrValue[];
  /** What the outputs stand for, where they are choices; undefined where the one output is a number. */
  readonly outputs?: readonly TracrValue[];
  /** The names of the residual stream's dimensions. */
  readonly residualLabels: readonly string[];
  /** The published true edges, with the input split into `embed` and `pos`; undefined where none are. */
  readonly edges?: readonly string[];
  /** Token ids of a sequence, with the beginning token in front. */
  encode(sequence: readonly TracrValue[]): number[];
  /** What the program says of each place of a sequence, from logits `[batch, pos, output]`; of the first row by default. */
  decode(logits: Tensor, row?: number): TracrValue[];
}

/** The description beside the weights, as far as it is read. */
interface Description {
  readonly n_layers: number;
  readonly n_heads: number;
  readonly d_head: number;
  readonly d_model: number;
  readonly d_mlp: number;
  readonly n_ctx: number;
  readonly causal: boolean;
  readonly activation: string;
  readonly layer_norm: boolean;
  readonly tokens: readonly TracrValue[];
  readonly bos: TracrValue;
  readonly output_values: readonly TracrValue[] | null;
  readonly residual_labels: readonly string[];
  readonly program: string;
  readonly acdc_true_edges?: readonly (readonly [readonly [string, unknown], readonly [string, unknown]])[];
}

/**
 * Loads a compiled program as a model: weights `.npz` (`W_E`, `W_pos`, `W_Q` …, by TransformerLens's names) with the
 * description `.json` beside it.
 *
 * @param path of either file, or without its ending
 * @returns the model, and what is known of it as `program`
 * @throws where a file is missing, or the description lacks something or says what no such model has
 *
 * @example
 * ```ts
 * const reverse = await loadTracr("tracr/acdc_reverse.npz").catch(() => undefined);
 * const logits = await reverse?.forward(reverse.program.encode([1, 2, 3]));
 * logits && reverse?.program.decode(logits); // such as [3, 2, 1]
 * ```
 */
export async function loadTracr(path: string): Promise<Model & { readonly program: TracrProgram }> {
  const base = path.replace(/\.(npz|json)$/, "");
  const description = checkDescription(await readJsonFile(`${base}.json`), `${base}.json`);
  const { n_layers: layers, n_heads: heads, d_head: dHead, d_model: dModel, d_mlp: dMlp } = description;
  const arrays = await readNpz(`${base}.npz`);
  const read = (name: string, shape: readonly number[]): Tensor => {
    const array = arrays.get(name);
    if (!array) throw new Error(`${base}.npz has no array "${name}", which a compiled program has.`);
    const found = npyToTensor(array);
    if (found.shape.length !== shape.length || !shape.every((size, i) => size === found.shape[i]))
      throw new Error(
        `"${name}" in ${base}.npz has the shape [${found.shape.join(", ")}]; by ${base}.json it should be [${shape.join(", ")}].`,
      );
    return contiguous(found);
  };
  const parameters = new Map<string, Tensor>();
  const words = description.tokens.length;
  parameters.set("embed.weight", read("W_E", [words, dModel]));
  parameters.set("pos_embed.weight", read("W_pos", [description.n_ctx, dModel]));
  const dOut = description.output_values?.length ?? 1;
  parameters.set("unembed.weight", read("W_U", [dModel, dOut]));
  for (const kind of ["q", "k", "v"]) {
    const all = read(`W_${kind.toUpperCase()}`, [layers, heads, dModel, dHead]);
    for (let layer = 0; layer < layers; layer++)
      parameters.set(
        `blocks.${layer}.attn.${kind}.weight`,
        reshaped(all.pick(layer, null, null, null).transpose(1, 0, 2) as Tensor, [dModel, heads * dHead]),
      );
  }
  const rest = {
    "attn.o": ["W_O", [heads, dHead, dModel], [heads * dHead, dModel]],
    "mlp.in": ["W_in", [dModel, dMlp], [dModel, dMlp]],
    "mlp.out": ["W_out", [dMlp, dModel], [dMlp, dModel]],
  } as const;
  for (const [part, [name, shape, flat]] of Object.entries(rest)) {
    const all = read(name, [layers, ...shape]);
    for (let layer = 0; layer < layers; layer++) {
      const own = all.pick(layer, ...shape.map(() => null)) as Tensor;
      parameters.set(`blocks.${layer}.${part}.weight`, reshaped(own, flat));
    }
  }
  const bos = description.tokens.indexOf(description.bos);
  const json = {
    model_type: "toy_transformer",
    n_layers: layers,
    n_heads: heads,
    d_model: dModel,
    d_head: dHead,
    d_mlp: dMlp,
    n_ctx: description.n_ctx,
    d_vocab: words,
    d_vocab_out: dOut,
    act_fn: description.activation,
    normalization: null,
    biases: false,
    bidirectional: !description.causal,
    ...(bos >= 0 ? { bos_token_id: bos } : {}),
  };
  const model = modelInMemory(json, { parameters, name: description.program });
  return Object.assign(model, { program: programOf(description) });
}

const reshaped = (x: Tensor, shape: readonly number[]): Tensor => tensor(contiguous(x).data, shape);

function programOf(description: Description): TracrProgram {
  const { tokens, bos, output_values: outputs, program, acdc_true_edges: edges } = description;
  const begin = tokens.indexOf(bos);
  const idOf = (value: TracrValue): number => {
    const id = tokens.indexOf(value);
    if (id >= 0) return id;
    throw new Error(
      `The program "${program}" has no token ${JSON.stringify(value)}; its tokens are ${tokens.map((token) => JSON.stringify(token)).join(", ")}.`,
    );
  };
  return {
    name: program,
    tokens,
    residualLabels: description.residual_labels,
    ...(outputs ? { outputs } : {}),
    ...(edges ? { edges: edgesOf(edges) } : {}),
    encode: (sequence) => [...(begin >= 0 ? [begin] : []), ...sequence.map(idOf)],
    decode: (logits, row = 0) => {
      const [, length, width] = logits.shape as [number, number, number];
      const places = Array.from({ length }, (_, pos) =>
        Array.from({ length: width }, (_, i) => logits.get(row, pos, i)),
      );
      return places
        .slice(begin >= 0 ? 1 : 0)
        .map((values) => (outputs ? outputs[values.indexOf(Math.max(...values))]! : values[0]!));
    },
  };
}

/** The edges between nodes, of a list by hooks that has what each node is made of among them (as ACDC's code). */
function edgesOf(list: NonNullable<Description["acdc_true_edges"]>): string[] {
  const sender = ([hook, index]: readonly [string, unknown]): string | undefined => {
    if (hook === "hook_embed") return "embed";
    if (hook === "hook_pos_embed") return "pos";
    const [, layer, part] = /^blocks\.(\d+)\.(?:attn\.)?hook_(result|mlp_out)$/.exec(hook) ?? [];
    if (layer === undefined) return undefined;
    return part === "mlp_out" ? `m${layer}` : `a${layer}.h${(index as readonly number[]).at(-1)}`;
  };
  const receiver = ([hook, index]: readonly [string, unknown]): string | undefined => {
    if (/^blocks\.\d+\.hook_resid_post$/.test(hook)) return "logits";
    const [, layer, part] = /^blocks\.(\d+)\.hook_([qkv]|mlp)_(?:input|in)$/.exec(hook) ?? [];
    if (layer === undefined) return undefined;
    return part === "mlp" ? `m${layer}` : `a${layer}.h${(index as readonly number[]).at(-1)}<${part}>`;
  };
  return list.flatMap(([to, from]) => {
    const [a, b] = [sender(from), receiver(to)];
    return a && b ? [`${a}->${b}`] : [];
  });
}

function checkDescription(json: unknown, path: string): Description {
  const description = json as Partial<Record<keyof Description, unknown>> | null;
  const lacks = (what: string): Error =>
    new Error(`${path} describes no compiled program: it lacks ${what}.`);
  if (typeof description !== "object" || description === null) throw lacks("everything");
  for (const key of ["n_layers", "n_heads", "d_head", "d_model", "d_mlp", "n_ctx"] as const)
    if (!Number.isInteger(description[key]) || (description[key] as number) < 1)
      throw lacks(`"${key}", a whole number from 1 on`);
  for (const key of ["tokens", "residual_labels"] as const)
    if (!Array.isArray(description[key])) throw lacks(`the list "${key}"`);
  const { output_values: outputs = null, acdc_true_edges: edges } = description;
  if (outputs !== null && !Array.isArray(outputs)) throw lacks('"output_values", a list or null');
  if (edges !== undefined && !Array.isArray(edges)) throw lacks('"acdc_true_edges" as a list');
  if (description.activation !== "relu" || description.layer_norm !== false)
    throw new Error(
      `${path} describes a model with ${String(description.activation)} and ${description.layer_norm ? "" : "no "}layer norm; compiled programs have relu and no layer norm.`,
    );
  return {
    ...description,
    output_values: outputs,
    program: String(description.program ?? path),
  } as Description;
}
