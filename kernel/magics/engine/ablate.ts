import { ablationSweep, crossEntropy } from "../../../src/index.js";
import { usualPoints } from "../../../src/methods/patching/points.js";
import { callCode, importCode, unless } from "../code.js";
import { defineMagic, type Magic } from "../magic.js";
import { readTask, taskCode, taskNames } from "./circuit-task.js";
import { currentModel } from "./current-model.js";
import { asTask, sweptAxes } from "./sweep-options.js";

const options = {
  at: {
    type: "string",
    default: "z",
    placeholder: "name",
    help: "what is ablated: z (heads), attn_out, mlp_out, resid_pre, q, k, v, pattern …",
  },
  over: {
    type: "string",
    placeholder: "axes",
    help: "what the cells are, such as layer,pos; by default layer,head where there are heads, and layer,pos elsewhere",
  },
  replacement: {
    type: "string",
    choices: ["zero", "mean", "resample", "noise"],
    default: "zero",
    short: "r",
    help: "what takes the place of values: zero, their mean, those on another of the prompts, or noise added to them",
  },
  count: { type: "integer", default: 16, short: "n", help: "how many prompts of a named task" },
  seed: { type: "integer", default: 0, help: "the same seed gives the same prompts, and the same noise" },
} as const;

const magic: Magic = defineMagic({
  name: "ablate",
  kind: "both",
  summary:
    "Ablates parts of the model one by one and shows the metric without each: that of a task, or the loss on a text.",
  usage: "<task> | <text> | <clean> | <corrupt> | <answer> | <wrong answer>",
  options,
  example: "%ablate --replacement mean ioi",
  typescript(call) {
    const { at, over, replacement, count, seed } = call.options;
    const { before, fields } = taskCode(asTask(call, { count, seed }, "zero"), "task");
    const metric = fields.find((field) => field.startsWith("metric:"));
    const input = fields.find((field) => field.startsWith("clean:"))!.slice("clean: ".length);
    const chosen = unless("zero", replacement);
    const own = [
      metric ?? "metric: crossEntropy()",
      `at: ${JSON.stringify(at)}`,
      `over: ${JSON.stringify(sweptAxes("ablate", at, over))}`,
      ...(chosen ? [`replacement: ${JSON.stringify(chosen)}`] : []),
      ...(unless(0, seed) === undefined ? [] : [`seed: ${seed}`]),
    ];
    const imported = metric ? "ablationSweep" : "ablationSweep, crossEntropy";
    return `${importCode(imported)}${before}await ${callCode("ablationSweep", "model", input, `{ ${own.join(", ")} }`)};`;
  },
  run(context) {
    const { at, over, replacement, count, seed } = context.options;
    const axes = sweptAxes("ablate", at, over);
    const model = currentModel(context);
    const { clean, metric = crossEntropy() } = readTask(
      asTask(context, { count, seed }, "zero"),
      model,
      "task",
    );
    return ablationSweep(model, clean, {
      metric,
      at,
      over: axes,
      replacement,
      seed,
      signal: context.signal,
    });
  },
  complete: ({ option }) => (option === "at" ? usualPoints : option ? [] : taskNames),
});

export default magic;
