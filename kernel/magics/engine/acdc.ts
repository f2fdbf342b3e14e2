import { type AcdcOptions, type AcdcStep, acdc, Circuit } from "../../../src/circuits/index.js";
import { acdcAnimation } from "../../views/acdc-animation.js";
import { importCode } from "../code.js";
import { defineMagic, type Magic, type MagicContext } from "../magic.js";
import { type OptionValues, UsageError } from "../options.js";
import { variableNames, variableOf } from "../variables.js";
import { readTask, taskCode, taskNames, taskOptions, titleOf } from "./circuit-task.js";
import { currentModel } from "./current-model.js";
import { shownAs, shownAsAnimation } from "./shown-circuit.js";

const options = {
  threshold: {
    type: "number",
    default: 0.01,
    short: "t",
    help: "an edge is removed where the metric becomes worse by less than this",
  },
  ...taskOptions,
  mode: {
    type: "string",
    choices: ["exact", "fast"],
    default: "exact",
    help: "the decisions of the paper, or fewer runs that may remove more",
  },
  order: {
    type: "string",
    choices: ["reverse", "normal"],
    default: "reverse",
    help: "the senders of each input from the last or from the first on",
  },
  live: { type: "boolean", help: "show the search while it runs: pause it, step it, stop it" },
  resume: {
    type: "string",
    placeholder: "variable",
    help: "go on behind the steps of an unfinished circuit; `last` is the one that %acdc found last",
  },
} as const;

/** The name under which the magic keeps the circuit that it found last. */
const LAST = "acdc";

const magic: Magic = defineMagic({
  name: "acdc",
  kind: "both",
  summary:
    "Searches for the circuit of a task by ACDC, and shows it as an animation. Interrupted, it gives what is left by then: `const circuit = %acdc ioi` keeps it, and `%acdc ioi --resume circuit` goes on.",
  usage: "<task> | <clean> | <corrupt>",
  options,
  example: "%acdc ioi --threshold 0.02 --live",
  typescript(call) {
    const { threshold, mode, order, live, resume } = call.options;
    const { before, fields } = taskCode(call, "kl");
    const own = [
      `threshold: ${threshold}`,
      ...(mode === "exact" ? [] : [`mode: ${JSON.stringify(mode)}`]),
      ...(order === "reverse" ? [] : [`order: ${JSON.stringify(order)}`]),
      ...(resume === undefined ? [] : [`resume: ${resume}.log`]),
    ];
    const given = `{ ${[...fields, ...own].join(", ")} }`;
    return live
      ? `${importCode("acdcAnimation", "tslens/widgets")}${before}const run = await acdcAnimation(model, ${given});\nawait run.show();`
      : `${importCode("acdc", "tslens/circuits")}${before}await acdc(model, ${given});`;
  },
  async run(context) {
    const model = currentModel(context);
    const settings = searchOptions(context.options);
    const resume = resumed(context);
    const task = readTask(context, model, "kl");
    const search: AcdcOptions = {
      ...task,
      ...settings,
      ...(resume ? { resume } : {}),
      signal: context.signal,
    };
    const title = titleOf(context, model);
    let circuit: Circuit;
    if (context.options.live) {
      const run = await acdcAnimation(model, { ...search, title });
      context.session.set(LAST, run.soFar);
      circuit = await run.show();
      shownAs(circuit, () => ({ "text/plain": ending(circuit) }));
    } else {
      circuit = await acdc(model, search);
      shownAsAnimation(circuit, { ...task, model, title }, ending(circuit));
    }
    context.session.set(LAST, circuit);
    return circuit;
  },
  complete: ({ variables, option }) => {
    if (option === "resume") return ["last", ...variableNames(variables)];
    return option ? [] : taskNames;
  },
});

export default magic;

function searchOptions({
  threshold,
  mode,
  order,
}: OptionValues<typeof options>): Pick<AcdcOptions, "threshold" | "mode" | "order"> {
  if (threshold < 0) throw new UsageError(`--threshold of %acdc takes 0 or more, not ${threshold}.`);
  return { threshold, mode, order };
}

/** The steps that the search goes on behind. */
function resumed({
  options: { resume },
  session,
  variables,
}: Pick<MagicContext<typeof options>, "options" | "session" | "variables">): readonly AcdcStep[] | undefined {
  if (resume === undefined) return undefined;
  const circuit = resume === "last" ? session.get<Circuit>(LAST) : variableOf(variables, resume);
  if (resume === "last" && !circuit)
    throw new UsageError("%acdc has not searched yet: there is nothing to resume.");
  if (!(circuit instanceof Circuit) || circuit.origin.method !== "acdc")
    throw new UsageError(`--resume takes a variable that holds a circuit of ACDC; ${resume} is none.`);
  return circuit.log;
}

/** What the circuit is, and how an unfinished search goes on. */
function ending(circuit: Circuit): string {
  if (circuit.finished) return String(circuit);
  return `${circuit}; ${circuit.log.length} of ${circuit.edges.length} edges tried. Repeat the line with \`--resume last\` to go on.`;
}
