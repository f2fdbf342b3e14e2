/**
 * Sizes that are known only when a graph runs, as sums of products of names: `"past+pos"`, `"2*batch*pos"`, `"pos-1"`.
 * Equal sizes have equal texts, so that shapes can be compared without running anything.
 */

import type { Dim } from "./value.js";

/** Products of names, sorted and joined by `*`, with what each is multiplied by; the empty product is a number's. */
export type Terms = ReadonlyMap<string, number>;

/** A name is anything without an operator; brackets hold it together. */
const TOKEN = /\s*(?:([+\-*])|((?:[^+\-*()[\]]|\([^()]*\)|\[[^[\]]*\])+))/y;
/** What grows longer than this is no longer told apart by its parts. */
const LONGEST = 200;

/** A size as a sum of products. What cannot be read as one is a single name. */
export function termsOf(dim: Dim): Terms {
  if (typeof dim === "number") return new Map(dim === 0 ? [] : [["", dim]]);
  return parse(dim) ?? new Map([[dim, 1]]);
}

function parse(text: string): Terms | undefined {
  let sum = new Map<string, number>();
  let product: Terms | undefined;
  let sign = 1;
  TOKEN.lastIndex = 0;
  const close = (): boolean => {
    if (!product) return false;
    sum = new Map(addTerms(sum, product, sign));
    product = undefined;
    return true;
  };
  let afterOperator = true;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (!match) return undefined;
    const [, sigil, name] = match;
    if (name !== undefined) {
      if (!afterOperator) return undefined;
      const word = name.trim();
      if (word === "") return undefined;
      const factor: Terms = /^\d+$/.test(word)
        ? termsOf(Number(word))
        : new Map([[word.replaceAll(/\s+/g, "_"), 1]]);
      product = product ? multiplyTerms(product, factor) : factor;
      afterOperator = false;
      continue;
    }
    if (sigil === "*") {
      if (afterOperator) return undefined;
    } else if (!afterOperator) {
      if (!close()) return undefined;
      sign = sigil === "-" ? -1 : 1;
    } else if (sigil === "-" && !product && sum.size === 0) sign = -sign;
    else return undefined;
    afterOperator = true;
  }
  return !afterOperator && close() ? sum : undefined;
}

function addTerms(a: Terms, b: Terms, factor = 1): Terms {
  const sum = new Map(a);
  for (const [names, count] of b) {
    const total = (sum.get(names) ?? 0) + factor * count;
    if (total === 0) sum.delete(names);
    else sum.set(names, total);
  }
  return sum;
}

function multiplyTerms(a: Terms, b: Terms): Terms {
  let product: Terms = new Map();
  for (const [left, m] of a)
    for (const [right, n] of b) {
      const names = [left, right].flatMap((part) => (part === "" ? [] : part.split("*"))).sort();
      product = addTerms(product, new Map([[names.join("*"), m * n]]));
    }
  return product;
}

/** A sum of products as a size: a number where there are no names in it. */
function dimOf(terms: Terms): Dim {
  const names = [...terms.keys()].filter((key) => key !== "").sort();
  const constant = terms.get("") ?? 0;
  if (names.length === 0) return constant;
  const ordered = [
    ...names.filter((name) => terms.get(name)! > 0),
    ...names.filter((name) => terms.get(name)! < 0),
  ];
  const parts = ordered.map((name) => {
    const count = terms.get(name)!;
    const factor = Math.abs(count) === 1 ? "" : `${Math.abs(count)}*`;
    return `${count < 0 ? "-" : "+"}${factor}${name}`;
  });
  if (constant !== 0) parts.push(`${constant < 0 ? "-" : "+"}${Math.abs(constant)}`);
  const text = parts.join("");
  return text.startsWith("+") ? text.slice(1) : text;
}

const bounded = (terms: Terms, otherwise: string): Dim => {
  const dim = dimOf(terms);
  return typeof dim === "number" || dim.length <= LONGEST
    ? dim
    : `(${otherwise.replaceAll(/[()[\]]/g, "_").slice(0, LONGEST)})`;
};

/** The sum of two sizes; the second may be taken `factor` times, as in `addDims(dim, 1, -1)`. */
export function addDims(a: Dim, b: Dim, factor = 1): Dim {
  if (typeof a === "number" && typeof b === "number") return a + factor * b;
  return bounded(addTerms(termsOf(a), termsOf(b), factor), `${a} and ${factor} ${b}`);
}

/** The product of two sizes. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  return bounded(multiplyTerms(termsOf(a), termsOf(b)), `${a} times ${b}`);
}

/** A quotient without remainder, where that can be told. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return 1;
  const divisor = [...termsOf(b)];
  if (divisor.length !== 1) return undefined;
  const [names, count] = divisor[0]!;
  const quotient = new Map<string, number>();
  for (const [product, n] of termsOf(a)) {
    const rest = product === "" ? [] : product.split("*");
    for (const name of names === "" ? [] : names.split("*")) {
      const at = rest.indexOf(name);
      if (at < 0) return undefined;
      rest.splice(at, 1);
    }
    if (n % count !== 0) return undefined;
    quotient.set(rest.join("*"), n / count);
  }
  return dimOf(quotient);
}
