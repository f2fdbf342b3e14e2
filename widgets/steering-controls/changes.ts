import { diffArrays } from "diff";

/**
 * Which tokens of the steered continuation are not in the unsteered one, and the other way round: those outside
 * their longest common subsequence, so that one token more does not mark all after it.
 */
export function changedTokens(
  unsteered: readonly string[],
  steered: readonly string[],
): { unsteered: boolean[]; steered: boolean[] } {
  const changed = { unsteered: [] as boolean[], steered: [] as boolean[] };
  for (const { value, added, removed } of diffArrays([...unsteered], [...steered])) {
    if (!added) changed.unsteered.push(...value.map(() => removed));
    if (!removed) changed.steered.push(...value.map(() => added));
  }
  return changed;
}
