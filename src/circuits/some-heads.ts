/** Models of which some heads are left out: what a circuit that keeps few heads costs is what those heads cost. */

import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { Engine } from "../model/engine.js";
import type { Block, Layout, Linear } from "../model/family.js";
import { biasOf, matrix } from "../model/parts/linear.js";
import { hasBranchNorm } from "./residual-parts.js";

/** Whether a model's heads can be computed apart: nothing that acts on a head depends on the others, or on its number. */
export function headsStandAlone(engine: Engine): boolean {
  const { config, layout } = engine;
  if (config.alibi || layout.relativeBias !== undefined || config.residualScale !== undefined) return false;
  return Array.from({ length: config.nLayers }, (_, layer) => layer).every((layer) => {
    const { qNorm, kNorm } = layout.block(layer);
    const byHead = [qNorm, kNorm].every((norm) => norm === undefined || norm.size === config.dHead);
    return byHead && !hasBranchNorm(engine, layer);
  });
}

/** The layout and the parameters of a model that has in each layer the heads that are named; all of them elsewhere. */
export function someHeads(
  engine: Engine,
  heads: ReadonlyMap<number, readonly number[]>,
): { layout: Layout; parameter: (name: string) => Value } {
  const { layout, config } = engine;
  const { nHeads, dHead, dModel } = config;
  const stored = { parameter: (name: string): Value => engine.parameter(name) };
  const values = new Map<string, Value>();
  const parameter = (name: string): Value => values.get(name) ?? engine.parameter(name);
  const put = (name: string, value: Value): string => {
    values.set(name, value);
    return name;
  };
  const block = (layer: number): Block => {
    const { qkv: _together, ...all } = layout.block(layer);
    const own = heads.get(layer);
    if (!own || own.length === nHeads) return layout.block(layer);
    const at = `heads.${layer}`;
    const chosen = g.constant(own, [own.length], "int64");
    /** Rows that belong to heads, `[head·dHead, width]`. */
    const take = (rows: Value, width: number): Value => {
      const byHead = g.gather(g.reshape(rows, [nHeads, dHead * width]), chosen);
      return g.reshape(byHead, [own.length * dHead, width]);
    };
    const from = (map: Linear, name: string): Linear => {
      const bias = biasOf(stored, map);
      return {
        weight: put(`${at}.${name}`, take(g.transpose(matrix(stored, map), [1, 0]), dModel)),
        ...(bias ? { bias: put(`${at}.${name}.bias`, g.reshape(take(bias, 1), [own.length * dHead])) } : {}),
        layout: "outIn",
        dIn: dModel,
        dOut: own.length * dHead,
      };
    };
    const weight = put(`${at}.o`, take(matrix(stored, all.o), dModel));
    const o: Linear = { ...all.o, weight, layout: "inOut", dIn: own.length * dHead, part: undefined };
    return { ...all, heads: own.length, q: from(all.q, "q"), k: from(all.k, "k"), v: from(all.v, "v"), o };
  };
  const blocks = Array.from({ length: config.nLayers }, (_, layer) => block(layer));
  return { layout: { ...layout, block: (layer) => blocks[layer]! }, parameter };
}
