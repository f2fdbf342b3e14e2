/** Steering controls of a model: the widget's plain requests turned into runs of the engine. */

import { nearest } from "../../src/graph/index.js";
import {
  activationDifference,
  compareSteering,
  type Model,
  type PointName,
  type Tensor,
  unembeddingDirection,
} from "../../src/index.js";
import {
  createSteeringControls,
  type Direction,
  type DirectionKind,
  type SteeringControlsOptions,
  type SteeringEngine,
} from "../../widgets/steering-controls/model.js";
import { widgetHost } from "../current.js";
import { type ShownWidget, shown } from "./widget.js";

export type { SteeringControlsOptions } from "../../widgets/steering-controls/model.js";

/** What the reader's fields hold at first. */
export interface SteeringStart extends SteeringControlsOptions {
  /** Texts whose difference is the direction: towards the first, away from the second. */
  readonly towards?: string;
  readonly awayFrom?: string;
}

/**
 * Live steering controls: choose a point and a direction, turn the coefficient, and see both continuations.
 *
 * @throws Error outside a notebook; for a point that is none of the residual stream, with the nearest
 *
 * @example
 * ```ts
 * steeringControls(model, { prompt: "The cake was", towards: "I love it", awayFrom: "I hate it", coefficient: 2 });
 * ```
 */
export function steeringControls(model: Model, options: SteeringStart = {}): ShownWidget {
  const { towards = "", awayFrom = "", ...rest } = options;
  const direction = options.direction ?? { kind: "difference", values: { towards, awayFrom } };
  const { nLayers, nCtx } = model.config;
  const point = options.point ?? `blocks.${Math.floor(nLayers / 2)}.hook_resid_pre`;
  const points = steeringPoints(model.hookNames);
  if (!points.includes(point))
    throw new Error(
      `A direction is added to the residual stream, not at "${point}". The nearest points are ${nearest(point, points).join(", ")}.`,
    );
  return shown(
    createSteeringControls(widgetHost(), steeringEngine(model), {
      tokenLimit: Math.max(1, Math.min(200, nCtx - 8)),
      ...rest,
      direction,
      point,
    }),
  );
}

const directions: readonly DirectionKind[] = [
  {
    kind: "difference",
    label: "difference of two prompts",
    fields: [
      { name: "towards", label: "towards", type: "text", hint: "a text that has it" },
      { name: "awayFrom", label: "away from", type: "text", hint: "a text that has it not" },
    ],
  },
  {
    kind: "unembedding",
    label: "a token's unembedding",
    fields: [{ name: "token", label: "token", type: "text", hint: "one token, with its leading space" }],
  },
];

/** The points at which a direction can be added: those of the residual stream. */
export function steeringPoints(names: readonly string[]): string[] {
  return names.filter((name) => /hook_resid_(pre|mid|post)$/.test(name));
}

/** A model as the controls' engine. */
export function steeringEngine(model: Model): SteeringEngine {
  return {
    points: steeringPoints(model.hookNames),
    directions,
    steer: async (request, { onNext, onTokens, signal }) => {
      const vector = await readDirection(model, request.direction, request.point);
      const { prompt, point, coefficient, positions, maxNewTokens, temperature, seed } = request;
      await compareSteering(model, prompt, {
        point,
        vector,
        coefficient,
        positions,
        maxNewTokens,
        temperature,
        seed,
        signal,
        onNext,
        onTokens,
      });
    },
  };
}

function readDirection(
  model: Model,
  { kind, values }: Direction,
  point: PointName,
): Promise<Tensor> | Tensor {
  if (kind === "unembedding") return unembeddingDirection(model, values.token ?? "");
  if (!values.towards || !values.awayFrom)
    throw new Error("Give two texts: steering goes towards the first and away from the second.");
  return activationDifference(model, values.towards, values.awayFrom, point);
}
