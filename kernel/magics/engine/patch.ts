import type { CircuitTask } from "../../../src/circuits/index.js";
import { activationPatching, type Model, type SweepAxis } from "../../../src/index.js";
import { usualPoints } from "../../../src/methods/patching/points.js";
import { patchingExplorer } from "../../views/patching-explorer.js";
import type { ShownWidget } from "../../views/widget.js";
import { callCode, importCode, unless } from "../code.js";
import { defineMagic, type Magic } from "../magic.js";
import { UsageError } from "../options.js";
import { readTask, taskCode, taskNames } from "./circuit-task.js";
import { currentModel } from "./current-model.js";
import { asTask, sweptAxes } from "./sweep-options.js";

const options = {
  at: {
    type: "string",
    default: "resid_pre",
    placeholder: "name",
    help: "what is patched: resid_pre, attn_out, mlp_out, z, q, k, v, pattern …",
  },
  over: {
    type: "string",
    placeholder: "axes",
    help: "what the cells are, such as layer,pos; by default layer,head where there are heads, and layer,pos elsewhere",
  },
  direction: {
    type: "string",
    choices: ["denoising", "noising"],
    default: "denoising",
    help: "the corrupt run with clean values, or the clean run with corrupt ones",
  },
  count: { type: "integer", default: 1, short: "n", help: "how many prompts of a named task" },
  seed: { type: "integer", default: 0, help: "the same seed gives the same prompts" },
  explore: {
    type: "boolean",
    help: "shows one prompt in the live explorer: edit the prompts, click cells for the next tokens",
  },
} as const;

const magic: Magic = defineMagic({
  name: "patch",
  kind: "both",
  summary:
    "Patches activations of a clean prompt into a corrupt one, place by place, and shows how much of the right answer each brings back.",
  usage: "<task> | <clean> | <corrupt> | <answer> | <wrong answer>",
  options,
  example: "%patch --at z ioi",
  typescript(call) {
    const { at, over, direction, count, seed, explore } = call.options;
    const { before, fields } = taskCode(asTask(call, { count, seed }, "resample"), "task");
    const chosen = unless("denoising", direction);
    const own = [
      `at: ${JSON.stringify(at)}`,
      `over: ${JSON.stringify(sweptAxes("patch", at, over))}`,
      ...(chosen ? [`direction: ${JSON.stringify(chosen)}`] : []),
    ];
    if (explore) {
      const imported = importCode("patchingExplorer", "tslens/widgets");
      const metric = fields.filter((field) => field.startsWith("metric:"));
      const given = `{ ...prompts[0], ${[...metric, ...own].join(", ")} }`;
      return `${imported}${before}${callCode("patchingExplorer", "model", given)};`;
    }
    return `${importCode("activationPatching")}${before}await ${callCode("activationPatching", "model", `{ ${[...fields, ...own].join(", ")} }`)};`;
  },
  run(context) {
    const { at, over, direction, count, seed, explore } = context.options;
    const axes = sweptAxes("patch", at, over);
    const model = currentModel(context);
    const { clean, corrupt, metric } = readTask(asTask(context, { count, seed }, "resample"), model, "task");
    if (!metric)
      throw new UsageError(
        "%patch measures right against wrong answers: write each prompt as `clean | corrupt | answer | wrong answer`.",
      );
    if (explore) return explorer(model, { clean, corrupt, metric }, { at, over: axes, direction });
    return activationPatching(model, {
      clean,
      corrupt,
      metric,
      at,
      over: axes,
      direction,
      signal: context.signal,
    });
  },
  complete: ({ option }) => (option === "at" ? usualPoints : option ? [] : taskNames),
});

export default magic;

/** The explorer of a task's one prompt. */
function explorer(
  model: Model,
  { clean, corrupt, metric }: Pick<CircuitTask, "clean" | "corrupt" | "metric">,
  grid: { readonly at: string; readonly over: SweepAxis[]; readonly direction: "denoising" | "noising" },
): ShownWidget {
  const [[text, ...more], [other]] = [[clean].flat(), [corrupt].flat()];
  if (more.length > 0)
    throw new UsageError("--explore of %patch shows one prompt: leave out --count, or write one line.");
  if (typeof text !== "string" || typeof other !== "string")
    throw new UsageError("--explore of %patch needs prompts of text, which readers can edit.");
  return patchingExplorer(model, {
    ...grid,
    clean: text,
    corrupt: other,
    metric,
  });
}
