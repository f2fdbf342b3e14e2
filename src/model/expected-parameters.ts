/** What parameters a model must have, by its family's layout, and whether a file's are those. */

import { bytesPerElement, shapeText } from "../array/index.js";
import type { ModelConfig } from "./config.js";
import type { Block, DenseMlp, Layout, Linear, Norm } from "./family.js";
import type { Parameters } from "./parameters.js";

/** The linear maps of an MLP; of all experts, where it has several. */
export function mlpMaps(mlp: Block["mlp"]): Linear[] {
  if (!mlp) return [];
  const dense = ({ gate, in: up, gateIn, out }: DenseMlp): Linear[] =>
    [gate, up, gateIn, out].filter((map) => map !== undefined);
  return "router" in mlp ? [mlp.router, ...mlp.experts.flatMap(dense)] : dense(mlp);
}

/** All blocks of a model. */
export function blocksOf(config: ModelConfig, layout: Layout): Block[] {
  return Array.from({ length: config.nLayers }, (_, layer) => layout.block(layer));
}

/** The linear maps of a model outside of its blocks. */
function outerMaps({ embedProjection, unembedProjection, transform, unembed, classifier }: Layout): Linear[] {
  const maps = [
    embedProjection,
    unembedProjection,
    transform?.dense,
    unembed,
    classifier?.pooler,
    classifier?.out,
  ];
  return maps.filter((map) => map !== undefined);
}

/** Every parameter that a layout names, with the shape that it must have. */
export function expectedShapes(config: ModelConfig, layout: Layout): Map<string, readonly number[]> {
  const { dModel, dVocab, nCtx, dEmbed = dModel, positionOffset = 0, tokenTypes = 0 } = config;
  const shapes = new Map<string, readonly number[]>();
  const linear = ({ weight, bias, layout: order, dIn, dOut, part }: Linear): void => {
    const out = part?.of ?? dOut;
    shapes.set(weight, order === "inOut" ? [dIn, out] : [out, dIn]);
    if (bias !== undefined) shapes.set(bias, [out]);
  };
  const norm = ({ weight, bias, size = dModel }: Norm): void => {
    shapes.set(weight, [size]);
    if (bias !== undefined) shapes.set(bias, [size]);
  };
  shapes.set(layout.embed, [dVocab, dEmbed]);
  if (layout.positions !== undefined) shapes.set(layout.positions, [nCtx + positionOffset, dModel]);
  if (layout.tokenTypes !== undefined) shapes.set(layout.tokenTypes, [tokenTypes, dModel]);
  const blocks = layout.stateSpace ? [] : blocksOf(config, layout);
  const { encoder, relativeBias } = layout;
  if (encoder) {
    blocks.push(...blocksOf({ ...config, nLayers: config.encoder!.nLayers }, { ...layout, ...encoder }));
    norm(encoder.lnFinal);
  }
  for (const table of [encoder?.relativeBias, relativeBias])
    if (table !== undefined) shapes.set(table, [config.relativeBias!.buckets, config.nHeads]);
  for (const { ln1, ln2, ln1Post, ln2Post, q, k, v, qkv, qNorm, kNorm, o, mlp, cross } of blocks) {
    for (const one of [ln1, ln2, ln1Post, ln2Post, qNorm, kNorm, cross?.norm]) if (one) norm(one);
    for (const map of [q, k, v, qkv, o, cross?.q, cross?.k, cross?.v, cross?.o, ...mlpMaps(mlp)])
      if (map) linear(map);
  }
  for (let layer = 0; layout.stateSpace && layer < config.nLayers; layer++) {
    const parts = layout.stateSpace(layer);
    const { dInner, dState, kernel } = config.stateSpace!;
    norm(parts.norm);
    for (const map of [parts.inProj, parts.xProj, parts.dtProj, parts.outProj]) linear(map);
    shapes.set(parts.conv.weight, [dInner, 1, kernel]);
    if (parts.conv.bias !== undefined) shapes.set(parts.conv.bias, [dInner]);
    shapes.set(parts.aLog, [dInner, dState]);
    shapes.set(parts.d, [dInner]);
  }
  for (const one of [layout.embedNorm, layout.lnFinal, layout.transform?.norm]) if (one) norm(one);
  for (const map of outerMaps(layout)) linear(map);
  return shapes;
}

/** Buffers that some files hold beside the weights, and that say nothing new. */
const buffers =
  /(\.(attn|attention|self_attn)\.(bias|masked_bias)|\.inv_freq|\.(original_)?inv_freq|position_ids|token_type_ids|\.rotary_emb\.\w+)$/;

/**
 * Throws if a parameter of a layout is missing, has another shape than the configuration says or holds no floats, or if
 * the blocks have weights that the layout does not use: the model would be another one.
 */
export function checkParameters(
  parameters: Parameters,
  config: ModelConfig,
  layout: Layout,
  { source, prefix = "" }: { source: string; prefix?: string },
): void {
  const parts = Math.max(config.nLayers, config.experts?.count ?? 0);
  if (parts > parameters.names.length)
    throw new Error(
      `By config.json the model has ${config.nLayers} blocks${config.experts ? ` of ${config.experts.count} experts` : ""}, but the weights of ${source} have ${parameters.names.length} tensors in all.`,
    );
  const expected = expectedShapes(config, layout);
  const present = new Set(parameters.names);
  const short = (name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  const missing = [...expected.keys()].filter((name) => !present.has(name) && !present.has(short(name)));
  const used = new Set([...expected.keys()].flatMap((name) => [name, short(name)]));
  const blockPrefixes = new Set([...used].flatMap((name) => blockPrefix(name) ?? []));
  const extra = parameters.names.filter((name) => {
    const at = blockPrefix(name);
    return !used.has(name) && at !== undefined && blockPrefixes.has(at) && !buffers.test(name);
  });
  if (missing.length > 0)
    throw new Error(
      `The weights of ${source} lack ${listed(missing)} that config.json asks for.${extra.length > 0 ? ` They have ${listed(extra)} that it does not ask for.` : ""}`,
    );
  for (const [name, shape] of expected) {
    const found = parameters.info(name);
    if (!/float/.test(found.dtype))
      throw new Error(
        `The tensor "${name}" of ${source} holds ${found.dtype} (${8 * bytesPerElement(found.dtype)} bits); floats were expected. Weights that are already quantised are not read; load the original and quantise it with {quantization: "int8"}.`,
      );
    if (found.shape.length !== shape.length || !shape.every((size, i) => size === found.shape[i]))
      throw new Error(
        `The tensor "${name}" of ${source} has the shape ${shapeText(found.shape)}; by config.json it should be ${shapeText(shape)}.`,
      );
  }
  if (extra.length > 0)
    throw new Error(
      `The blocks of ${source} have ${listed(extra)} that the family "${config.family}" has no use for: the model is of another kind than its config.json says.`,
    );
}

/** `model.layers.3.` of `model.layers.3.mlp.up_proj.weight`. */
const blockPrefix = (name: string): string | undefined =>
  /^.*?\.\d+\./.exec(name)?.[0] ?? /^h\.\d+\./.exec(name)?.[0];

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 4).map((name) => `"${name}"`);
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : "";
  return `${names.length === 1 ? "the tensor" : `${names.length} tensors,`} ${shown.join(", ")}${more}${names.length > 1 ? "," : ""}`;
}
