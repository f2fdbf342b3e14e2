import type { PatchingEngine } from "./engine.js";
import type { PatchingChoices } from "./state.js";

/**
 * Reads choices that came from a browser.
 *
 * @throws RangeError with a sentence for the reader
 */
export function checkChoices(choices: PatchingChoices, engine: PatchingEngine): PatchingChoices {
  const { clean, corrupt, answer, wrong_answer, direction, at, over } = choices;
  if (typeof clean !== "string" || clean === "")
    throw new RangeError("There is no clean prompt: type the text that has the right answer.");
  if (typeof corrupt !== "string" || corrupt === "")
    throw new RangeError(
      "There is no corrupt prompt: type a text of as many tokens to which another answer belongs.",
    );
  const point = engine.points.find((one) => one.at === at);
  if (!point) throw new RangeError(`There is nothing called ${JSON.stringify(at)} to patch.`);
  if (!point.grids.some((grid) => String(grid) === String(over)))
    throw new RangeError(`A sweep over ${at} has no table of ${[over].flat().join(" × ")}.`);
  if (direction !== "denoising" && direction !== "noising")
    throw new RangeError(`The direction is denoising or noising, but ${JSON.stringify(direction)} came.`);
  const metric = engine.metrics.find(({ kind }) => kind === choices.metric);
  if (!metric) throw new RangeError(`There is no metric ${JSON.stringify(choices.metric)}.`);
  if (metric.answers > 0 && (typeof answer !== "string" || answer === ""))
    throw new RangeError(
      "There is no answer: type the token that follows the clean prompt, with its leading space.",
    );
  if (metric.answers > 1 && (typeof wrong_answer !== "string" || wrong_answer === ""))
    throw new RangeError(
      "There is no wrong answer: type the token that follows the corrupt prompt, with its leading space.",
    );
  return { ...choices, over: [...over] };
}
