/** The patching explorer of a model: the widget's plain choices turned into sweeps of the engine. */

import type { Metric, Model, SweepAxis } from "../../src/index.js";
import { createPatchingExplorer, type Direction } from "../../widgets/patching-explorer/model.js";
import { widgetHost } from "../current.js";
import { quietly } from "../execution/quietly.js";
import { metricKinds, patchingEngine } from "./patching-engine.js";
import { type ShownWidget, shown } from "./widget.js";

/** What an explorer shows first; the reader can change all of it but the title. */
export interface PatchingExplorerOptions {
  /** The prompt to which the right answer belongs. */
  readonly clean: string;
  /** A prompt of as many tokens, to which another answer belongs. */
  readonly corrupt: string;
  /** The token that follows the clean prompt, with its leading space; likewise of the corrupt prompt. */
  readonly answer?: string;
  readonly wrongAnswer?: string;
  /**
   * What is measured: `"logitDiff"` (default) or `"probDiff"` of the two answers, `"logProb"` of the right one; or a metric,
   * such as `logitDiff({ correct, incorrect })` or a function of graph values.
   */
  readonly metric?: "logitDiff" | "probDiff" | "logProb" | Metric;
  /** The corrupt run with clean values (`"denoising"`, default), or the clean run with corrupt ones. */
  readonly direction?: Direction;
  /** What is patched, as in `activationPatching`. Default: `"resid_pre"`. */
  readonly at?: string;
  /** The axes of the map. Default: `["layer", "pos"]`, or `["layer", "head"]` where `at` has heads. */
  readonly over?: readonly SweepAxis[];
  /** The cell whose next tokens are shown first, such as `[3, 7]`. Default: the one with the largest effect. */
  readonly selected?: readonly number[];
  /** A line above the controls. */
  readonly title?: string;
}

/**
 * A live map of activation patching: edit both prompts, choose what is patched, and click a cell to see what the model says
 * next with it patched.
 *
 * @throws Error outside a notebook; for a point that the model does not have, or that has no such axes
 *
 * @example
 * ```ts
 * const [pair] = ioi({ count: 1, seed: 1 });
 * patchingExplorer(model, { ...pair, at: "z", over: ["layer", "head"] });
 * ```
 */
export function patchingExplorer(model: Model, options: PatchingExplorerOptions): ShownWidget {
  const { clean, corrupt, answer, wrongAnswer, direction, at = "resid_pre", over, selected, title } = options;
  for (const [name, text] of Object.entries({ clean, corrupt }))
    if (typeof text !== "string")
      throw new TypeError(
        `The explorer takes one ${name} prompt as text, which the reader can edit; for several prompts, or token ids, call activationPatching.`,
      );
  const measured = readMetric(options.metric);
  const engine = patchingEngine(model, { at, ...(over ? { over } : {}), given: measured.given });
  return quietly(() =>
    shown(
      createPatchingExplorer(widgetHost(), engine, {
        ...{ clean, corrupt, at, metric: measured.kind },
        answer: answer ?? measured.answer ?? "",
        wrongAnswer: wrongAnswer ?? measured.wrongAnswer ?? "",
        ...(over ? { over } : {}),
        direction,
        selected,
        title,
      }),
    ),
  );
}

/** A metric as the reader can edit it, where it has one right and one wrong token at the end; else as it is. */
function readMetric(metric: PatchingExplorerOptions["metric"] = "logitDiff"): {
  readonly kind: string;
  readonly given?: Metric;
  readonly answer?: string;
  readonly wrongAnswer?: string;
} {
  if (typeof metric === "string") {
    const kinds = metricKinds.map(({ kind }) => kind);
    if (kinds.includes(metric)) return { kind: metric };
    throw new TypeError(`The metric is one of ${kinds.join(", ")}, or made by a function; "${metric}" came.`);
  }
  const single = (choice: unknown): string | undefined => {
    const [first, ...more] = [choice].flat(2);
    return typeof first === "string" && more.length === 0 ? first : undefined;
  };
  if (typeof metric !== "function" && "pos" in metric && metric.pos === -1) {
    const { kind } = metric;
    if (kind === "logProb") {
      const answer = single(metric.token);
      if (answer !== undefined) return { kind, answer };
    }
    if (kind === "logitDiff" || kind === "probDiff") {
      const [answer, wrongAnswer] = [single(metric.correct), single(metric.incorrect)];
      if (answer !== undefined && wrongAnswer !== undefined) return { kind, answer, wrongAnswer };
    }
  }
  return { kind: "given", given: metric };
}
