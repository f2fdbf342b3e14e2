import type { SteeringEngine, SteeringRequest } from "./engine.js";
import type { Positions, SteeringChoices } from "./state.js";

const positionNames: readonly Positions[] = ["all", "last", "from-prompt-end"];

/**
 * Makes a request for the engine of choices that came from a browser.
 *
 * @throws RangeError with a sentence for the reader
 */
export function checkChoices(
  choices: SteeringChoices,
  engine: SteeringEngine,
  tokenLimit: number,
): SteeringRequest {
  const { prompt, point, direction, positions } = choices;
  if (typeof prompt !== "string" || prompt === "")
    throw new RangeError("There is no prompt: type the text that the model shall continue.");
  if (!engine.points.includes(point))
    throw new RangeError(`There is no point ${JSON.stringify(point)} to steer at.`);
  const kind = engine.directions.find((candidate) => candidate.kind === direction?.kind);
  if (!kind) throw new RangeError(`There is no kind of direction ${JSON.stringify(direction?.kind)}.`);
  if (!positionNames.includes(positions))
    throw new RangeError(`Positions are ${positionNames.join(", ")}, but ${JSON.stringify(positions)} came.`);
  const values = Object.fromEntries(
    kind.fields.map(({ name }) => [name, String(direction.values?.[name] ?? "")]),
  );
  for (const { name, label } of kind.fields)
    if (values[name] === "") throw new RangeError(`The direction is not complete: “${label}” is empty.`);
  return {
    prompt,
    point,
    direction: { kind: kind.kind, values },
    coefficient: number("coefficient", choices.coefficient),
    positions,
    maxNewTokens: integer("number of new tokens", choices.max_new_tokens, 1, tokenLimit),
    temperature: number("temperature", choices.temperature, 0),
    seed: integer("seed", choices.seed, 0, 2 ** 32 - 1),
  };
}

function number(name: string, value: unknown, least = -Infinity): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < least)
    throw new RangeError(
      `The ${name} must be a number${least > -Infinity ? ` of at least ${least}` : ""}, but ${value} came.`,
    );
  return value;
}

function integer(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`The ${name} must be an integer from ${least} to ${most}, but ${value} came.`);
  return value;
}
