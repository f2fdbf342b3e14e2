/**
 * Models whose heads share keys and values, made over so that every head has its own: the graph of circuits has an input
 * for the keys of each head, as TransformerLens has with `ungroup_grouped_query_attention`.
 */

import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import { Engine } from "../model/engine.js";
import type { Block, Linear, Norm } from "../model/family.js";
import type { Parameters } from "../model/parameters.js";
import { biasOf, matrix } from "../model/parts/linear.js";

const made = new WeakMap<Engine, Engine>();

/** The engine itself where its heads share nothing; otherwise one that computes the same from repeated weights. */
export function ungrouped(engine: Engine): Engine {
  const { nHeads, nKvHeads } = engine.config;
  if (nHeads === nKvHeads) return engine;
  const known = made.get(engine) ?? repeatWeights(engine);
  made.set(engine, known);
  return known;
}

function repeatWeights(engine: Engine): Engine {
  const { config, layout, parameters } = engine;
  const { nHeads, nKvHeads, dHead } = config;
  const group = nHeads / nKvHeads;
  const values = new Map<string, Value>();
  const parameter = (name: string): Value => engine.parameter(name);
  /** `[…, kvHead · dHead]` to `[…, head · dHead]`. */
  const repeat = (x: Value): Value => {
    const before = x.shape.slice(0, -1);
    const apart = g.reshape(x, [...before, nKvHeads, 1, dHead]);
    const repeated = g.expand(apart, [...before, nKvHeads, group, dHead]);
    return g.reshape(repeated, [...before, nHeads * dHead]);
  };
  const put = (name: string, value: Value): string => {
    values.set(name, value);
    return name;
  };
  const map = (linear: Linear, at: string): Linear => ({
    weight: put(`${at}.weight`, repeat(matrix({ parameter }, linear))),
    ...(linear.bias === undefined ? {} : { bias: put(`${at}.bias`, repeat(biasOf({ parameter }, linear)!)) }),
    layout: "inOut",
    dIn: linear.dIn,
    dOut: nHeads * dHead,
  });
  // The norm of all keys together has the same mean over repeated ones.
  const norm = (own: Norm, at: string): Norm =>
    own.size === nKvHeads * dHead && nKvHeads > 1
      ? { ...own, weight: put(at, repeat(parameter(own.weight))), size: nHeads * dHead }
      : own;
  const blocks = Array.from({ length: config.nLayers }, (_, layer): Block => {
    const { qkv: _together, ...block } = layout.block(layer);
    const at = `ungrouped.${layer}`;
    return {
      ...block,
      k: map(block.k, `${at}.k`),
      v: map(block.v, `${at}.v`),
      ...(block.kNorm ? { kNorm: norm(block.kNorm, `${at}.kNorm`) } : {}),
    };
  });
  const own: Parameters = {
    ...parameters,
    names: parameters.names,
    files: parameters.files,
    folder: parameters.folder,
    source: (name) => parameters.source(name),
    info: (name) => {
      const value = values.get(name);
      return value ? { dtype: value.dtype, shape: value.shape as number[] } : parameters.info(name);
    },
    read: (name) => parameters.read(name),
    value: (name) => values.get(name) ?? engine.parameter(name),
  };
  return new Engine({ ...config, nKvHeads: nHeads }, { ...layout, block: (layer) => blocks[layer]! }, own);
}
