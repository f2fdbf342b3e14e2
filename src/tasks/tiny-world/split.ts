import { randomGenerator } from "../../array/index.js";

const known = new Map<string, boolean>();

/**
 * Whether a combination is kept out of the training text. It depends on the combination alone, so that the text and the
 * tasks agree without a list.
 *
 * @param kind What is combined, such as `"ioi"`.
 * @param parts The combination, such as two names.
 * @param oneIn One combination in this many is kept out.
 */
export function isHeldOut(kind: string, parts: readonly (string | number)[], oneIn: number): boolean {
  const key = `${kind}|${parts.join("|")}|${oneIn}`;
  let heldOut = known.get(key);
  if (heldOut === undefined) {
    heldOut = randomGenerator(key).integer(oneIn) === 0;
    known.set(key, heldOut);
  }
  return heldOut;
}
