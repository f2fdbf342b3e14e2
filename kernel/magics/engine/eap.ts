import { type Circuit, edgeAttribution } from "../../../src/circuits/index.js";
import { importCode } from "../code.js";
import { defineMagic, type Magic } from "../magic.js";
import { type OptionValues, UsageError } from "../options.js";
import { readTask, taskCode, taskNames, taskOptions, titleOf } from "./circuit-task.js";
import { currentModel } from "./current-model.js";
import { shownAsAnimation } from "./shown-circuit.js";

const options = {
  method: {
    type: "string",
    choices: ["eap", "eap-ig", "exact"],
    default: "eap",
    help: "the gradient on the clean prompts, integrated gradients, or each edge cut by itself",
  },
  steps: { type: "integer", default: 5, help: "inputs between replaced and clean, for eap-ig" },
  top: { type: "integer", short: "k", help: "keep so many edges with the largest scores" },
  threshold: { type: "number", short: "t", help: "keep the edges with scores of this size or more" },
  greedy: { type: "boolean", help: "choose the --top edges from the logits backwards" },
  ...taskOptions,
} as const;

const magic: Magic = defineMagic({
  name: "eap",
  kind: "both",
  summary:
    "Scores every edge of the model by attribution patching, and shows the ranking with a threshold slider. `const scored = %eap ioi` keeps it.",
  usage: "<task> | <clean> | <corrupt>",
  options,
  example: "%eap ioi --method eap-ig --top 50",
  typescript(call) {
    const { method, steps } = call.options;
    const { before, fields } = taskCode(call, "task");
    const own = [
      ...(method === "eap" ? [] : [`method: ${JSON.stringify(method)}`]),
      ...(method === "eap-ig" && steps !== 5 ? [`steps: ${steps}`] : []),
    ];
    const scored = `const scored = await edgeAttribution(model, { ${[...fields, ...own].join(", ")} });\n`;
    return `${importCode("edgeAttribution", "tslens/circuits")}${before}${scored}${chosenCode(call.options)};`;
  },
  async run(context) {
    const model = currentModel(context);
    const { method, steps } = context.options;
    checkChoice(context.options);
    const task = readTask(context, model, "task");
    const scored = await edgeAttribution(model, {
      ...task,
      method,
      steps,
      signal: context.signal,
    });
    const circuit = chosen(scored, context.options);
    return shownAsAnimation(circuit, { ...task, model, title: titleOf(context, model) }, String(circuit));
  },
  complete: ({ option }) => (option ? [] : taskNames),
});

export default magic;

type Choice = Pick<OptionValues<typeof options>, "top" | "threshold" | "greedy">;

function checkChoice({ top, threshold, greedy }: Choice): void {
  if (top !== undefined && threshold !== undefined)
    throw new UsageError("%eap takes --top or --threshold, not both.");
  if (top !== undefined && top < 0)
    throw new UsageError(`--top of %eap takes a number from 0 on, not ${top}.`);
  if (greedy && top === undefined)
    throw new UsageError("--greedy of %eap takes --top: how many edges it chooses.");
}

function chosen(scored: Circuit, { top, threshold, greedy }: Choice): Circuit {
  if (top !== undefined) return greedy ? scored.greedy(top) : scored.top(top);
  return threshold === undefined ? scored : scored.threshold(threshold);
}

function chosenCode({ top, threshold, greedy }: Choice): string {
  if (top !== undefined) return `scored.${greedy ? "greedy" : "top"}(${top})`;
  return threshold === undefined ? "scored" : `scored.threshold(${threshold})`;
}
