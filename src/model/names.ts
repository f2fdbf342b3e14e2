/** Hook names, as TransformerLens has them. */

import { nearest } from "../graph/rewrites.js";
import type { ModelConfig } from "./config.js";

/** A point by its full name, or by a short one with its layer: `["pattern", 0]`, `["normalized", 3, "ln2"]`. */
export type PointName = string | readonly [name: string, layer?: number, type?: string];

/** Which points: names, short or full; a pattern; or a test of the full name. */
export type PointFilter = PointName | readonly PointName[] | RegExp | ((name: string) => boolean);

const attention = new Set([
  "k",
  "q",
  "v",
  "z",
  "k_normed",
  "q_normed",
  "rot_k",
  "rot_q",
  "result",
  "pattern",
  "attn_scores",
]);
const mlp = new Set(["pre", "post", "pre_linear", "mid", "gate", "expert_weights", "expert_indices"]);
const norms = new Set(["scale", "normalized"]);

const aliases: Readonly<Record<string, string>> = {
  attn: "pattern",
  attn_logits: "attn_scores",
  key: "k",
  query: "q",
  value: "v",
  mlp_pre: "pre",
  mlp_mid: "mid",
  mlp_post: "post",
};

const parts: Readonly<Record<string, string>> = {
  a: "attn",
  m: "mlp",
  b: "",
  block: "",
  blocks: "",
  attention: "attn",
};

/**
 * The full name of a point, by the short forms of TransformerLens's `get_act_name`.
 *
 * @param name a short name (`"q"`, `"resid_pre"`, `"scale4ln1"`, `"k6"`) or a full one, which is given back
 * @param layer the block
 * @param type the part of the block, where the name does not say: `"ln1"`, `"ln2"`, `"a"`, `"m"`
 *
 * @example
 * ```ts
 * actName("k", 6, "a"); // "blocks.6.attn.hook_k"
 * actName("pre", 2); // "blocks.2.mlp.hook_pre"
 * actName("scale4ln1"); // "blocks.4.ln1.hook_scale"
 * ```
 */
export function actName(name: string, layer?: number | string, type?: string): string {
  if (name.includes(".") || name.startsWith("hook_")) {
    if (layer === undefined) return name;
    throw new Error(`"${name}" is a full name; it takes no layer.`);
  }
  const match = /^([a-z_]+?)(\d+)([a-z]?.*)$/.exec(name);
  if (match && layer === undefined) return actName(match[1]!, Number(match[2]), match[3] || type);
  const short = aliases[name] ?? name;
  const part = type === undefined ? "" : (parts[type] ?? type);
  if (layer === undefined) return norms.has(short) ? `ln_final.hook_${short}` : `hook_${short}`;
  if (part === "" && norms.has(short))
    throw new Error(`"${name}" of layer ${layer} needs the norm too, such as ["${name}", ${layer}, "ln1"].`);
  const folder = part || (attention.has(short) ? "attn" : mlp.has(short) ? "mlp" : "");
  return `blocks.${layer}.${folder ? `${folder}.` : ""}hook_${short}`;
}

/** The point of the residual stream that a model's head reads. */
export const finalResidual = ({
  nLayers,
  normPlacement,
}: Pick<ModelConfig, "nLayers" | "normPlacement">): string =>
  `blocks.${nLayers - 1}.hook_${normPlacement === "after" ? "normalized_resid_post" : "resid_post"}`;

/**
 * The full name of one of a model's points.
 *
 * @throws if there is no such point, with the nearest names
 */
export function resolveName(name: PointName, known: readonly string[]): string {
  const full = typeof name === "string" ? (known.includes(name) ? name : actName(name)) : actName(...name);
  if (known.includes(full)) return full;
  const given = name === full ? `"${name}"` : `${JSON.stringify(name)} ("${full}")`;
  throw new Error(
    `There is no point ${given} in this model. The nearest are ${nearest(full, known).join(", ")}.`,
  );
}

/** The names that pass a test, or an error that shows what was asked for. */
export function matchingNames(
  names: readonly string[],
  test: (name: string) => boolean,
  shown: string,
): string[] {
  const found = names.filter(test);
  if (found.length === 0) throw new Error(`No point of the model fits ${shown}; see model.hookNames.`);
  return found;
}

/**
 * The full names of the points that a filter chooses.
 *
 * @param resolve gives the full name of a point, or throws
 */
export function chosenNames(
  filter: PointFilter,
  names: readonly string[],
  resolve: (name: PointName) => string,
): string[] {
  if (filter instanceof RegExp) return matchingNames(names, (name) => filter.test(name), String(filter));
  if (typeof filter === "function") return matchingNames(names, filter, "the filter");
  const list = typeof filter === "string" || isShortName(filter) ? [filter] : filter;
  return [...new Set(list.map(resolve))];
}

/** `["pattern", 0]`, not a list of names. */
const isShortName = (names: PointName | readonly PointName[]): names is PointName =>
  typeof names[1] === "number";
