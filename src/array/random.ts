import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { sizeOf, type Tensor, tensor } from "./tensor.js";

/** Where a generator stands: plain data to be stored and given to `randomGenerator` again. */
export interface RandomState {
  /** What the generator was made from; forks depend on it alone. */
  readonly key: readonly number[];
  /** The state of the stream. */
  readonly stream: readonly number[];
  /** A normal number that was made and not yet handed out. */
  readonly spare: number | null;
}

/**
 * Seeded random numbers (xoroshiro128+ of pure-rand). The same seed gives the same numbers on every machine.
 */
export interface Random {
  /** A number from 0 (included) to 1 (excluded), a multiple of 2^-53. */
  uniform(): number;
  /** A number of the standard normal distribution (Marsaglia's polar method). */
  normal(): number;
  /** A whole number from 0 to n − 1, each equally likely. */
  integer(n: number): number;
  /** One of the items, each equally likely. */
  choice<T>(items: readonly T[]): T;
  /** One of the items, as likely as its weight says; weights need not add up to 1. */
  weightedChoice<T>(items: readonly T[], weights: readonly number[]): T;
  /** A copy of the items in random order (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** `count` different items in random order. */
  sample<T>(items: readonly T[], count: number): T[];
  /**
   * An independent generator for one purpose. It depends on the seed and the labels alone, not on how many numbers were
   * drawn: adding a draw in one place changes nothing elsewhere.
   */
  fork(label: string | number): Random;
  /** Where the generator stands now. */
  state(): RandomState;
}

/** 128 bits from 128 bits and a text: cyrb128 (public domain), with MurmurHash3's last mixing for each word. */
function mix(key: readonly number[], text: string): number[] {
  let [a, b, c, d] = key as [number, number, number, number];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ code, 597399067);
    b = c ^ Math.imul(b ^ code, 2869860233);
    c = d ^ Math.imul(c ^ code, 951274213);
    d = a ^ Math.imul(d ^ code, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  a ^= b ^ c ^ d;
  const finish = (word: number): number => {
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) | 0;
  };
  return [finish(a), finish(b ^ a), finish(c ^ a), finish(d ^ a)];
}

function checkState(state: RandomState): void {
  for (const words of [state.key, state.stream]) {
    if (!Array.isArray(words) || words.length !== 4 || !words.every((word) => Number.isInteger(word))) {
      throw new TypeError(
        "The state of a random generator has a key and a stream of four whole numbers each.",
      );
    }
  }
  if (state.stream.every((word) => word === 0))
    throw new RangeError("A random stream cannot stand at four zeros.");
}

/**
 * A seeded generator, or one that goes on where a stored state ended.
 *
 * @param seed A whole number, a text, or the `state()` of another generator.
 * @throws where a number is not a whole one.
 * @example
 * ```ts
 * const random = randomGenerator(7);
 * random.uniform() === randomGenerator(7).uniform(); // true
 * ```
 */
export function randomGenerator(seed: number | string | RandomState): Random {
  if (typeof seed === "object") {
    checkState(seed);
    return fromState(seed);
  }
  if (typeof seed === "number" && !Number.isSafeInteger(seed)) {
    throw new RangeError(`A seed is a whole number or a text; ${seed} came.`);
  }
  const key = mix([1779033703, 3144134277, 1013904242, 2773480762], `${typeof seed}:${seed}`);
  return fromKey(key);
}

function fromKey(key: number[]): Random {
  return fromState({ key, stream: mix(key, "stream"), spare: null });
}

function fromState(start: RandomState): Random {
  const key = [...start.key];
  const generator = xoroshiro128plusFromState([...start.stream]);
  let spare = start.spare;

  const uniform = (): number => uniformFloat64(generator);

  const integer = (n: number): number => {
    if (!Number.isSafeInteger(n) || n < 1)
      throw new RangeError(`integer(n) takes a whole number from 1 on; ${n} came.`);
    return uniformInt(generator, 0, n - 1);
  };

  const normal = (): number => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * factor;
      return x * factor;
    }
  };

  const choice = <T>(items: readonly T[]): T => {
    if (items.length === 0) throw new RangeError("There is nothing to choose from: the list is empty.");
    return items[integer(items.length)]!;
  };

  const weightedChoice = <T>(items: readonly T[], weights: readonly number[]): T => {
    if (items.length !== weights.length) {
      throw new RangeError(`${items.length} items came with ${weights.length} weights.`);
    }
    let total = 0;
    for (const weight of weights) {
      if (!(weight >= 0 && weight < Infinity))
        throw new RangeError(`A weight is a number from 0 on; ${weight} came.`);
      total += weight;
    }
    if (total === 0) throw new RangeError("There is nothing to choose from: no weight is above 0.");
    let left = uniform() * total;
    let last = 0;
    for (let i = 0; i < items.length; i++) {
      if (weights[i] === 0) continue;
      last = i;
      left -= weights[i]!;
      if (left < 0) break;
    }
    return items[last]!;
  };

  const sample = <T>(items: readonly T[], count: number): T[] => {
    if (!Number.isInteger(count) || count < 0 || count > items.length) {
      throw new RangeError(`${count} different items were asked of ${items.length}.`);
    }
    const pool = [...items];
    for (let i = 0; i < count; i++) {
      const j = i + integer(pool.length - i);
      [pool[i], pool[j]] = [pool[j]!, pool[i]!];
    }
    pool.length = count;
    return pool;
  };

  return {
    uniform,
    normal,
    integer,
    choice,
    weightedChoice,
    sample,
    shuffle: (items) => sample(items, items.length),
    fork: (label) => fromKey(mix(key, `${typeof label}:${label}`)),
    state: () => ({ key: [...key], stream: [...generator.getState()], spare }),
  };
}

/** A tensor of independent normal numbers with the given mean (default 0) and standard deviation (default 1). */
export function normalTensor(
  random: Random,
  shape: readonly number[],
  options: { mean?: number; standardDeviation?: number } = {},
): Tensor {
  const { mean = 0, standardDeviation = 1 } = options;
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = mean + standardDeviation * random.normal();
  return tensor(data, shape);
}
