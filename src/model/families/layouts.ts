/** How families name and store the parts that many of them share. */

import type { Block, Linear, Norm } from "../family.js";

/** A norm's parameters by PyTorch's names. */
export const normOf = (name: string): Norm => ({ weight: `${name}.weight`, bias: `${name}.bias` });

/** A map without bias, or with one, in PyTorch's layout. */
export const outIn = (name: string, dIn: number, dOut: number, bias = false): Linear => ({
  weight: `${name}.weight`,
  ...(bias ? { bias: `${name}.bias` } : {}),
  layout: "outIn",
  dIn,
  dOut,
});

/** Maps that lie one after the other in one matrix. */
export function stacked(whole: Linear, sizes: readonly number[]): Linear[] {
  let from = 0;
  return sizes.map((dOut) => {
    const part = { from, of: whole.dOut };
    from += dOut;
    return { ...whole, dOut, part };
  });
}

type QueryKeyValue = Required<Pick<Block, "q" | "k" | "v" | "qkv">>;

/** q, k and v head by head in one matrix: `[head, 3, dHead]`. */
export const interleaved = (qkv: Linear, nHeads: number, dHead: number): QueryKeyValue =>
  grouped(qkv, nHeads, 1, dHead);

/** q of the heads that share keys, their k and their v, group by group in one matrix. */
export function grouped(qkv: Linear, groups: number, heads: number, dHead: number): QueryKeyValue {
  const map = (from: number, size: number): Linear => ({
    ...qkv,
    dOut: groups * size,
    part: { from, of: qkv.dOut, groups },
  });
  return {
    qkv,
    q: map(0, heads * dHead),
    k: map(heads * dHead, dHead),
    v: map((heads + 1) * dHead, dHead),
  };
}
