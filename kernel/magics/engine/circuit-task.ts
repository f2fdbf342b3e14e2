/** The task of a circuit, as the lines of magics name it: one of the library's by name, or prompts. */

import type { CircuitTask } from "../../../src/circuits/index.js";
import { nearest } from "../../../src/graph/index.js";
import { logProb, type Metric, type Model } from "../../../src/index.js";
import * as tasks from "../../../src/tasks/index.js";
import { importCode } from "../code.js";
import { type OptionValues, UsageError } from "../options.js";

/** The options by which a task is chosen. */
export const taskOptions = {
  metric: {
    type: "string",
    choices: ["kl", "task"],
    help: "what is measured: the divergence from the model's own prediction, or the task's own metric, such as the logit difference",
  },
  ablation: {
    type: "string",
    choices: ["resample", "zero", "mean"],
    default: "resample",
    help: "what takes the place of a cut edge",
  },
  count: { type: "integer", default: 16, short: "n", help: "how many prompts of a named task" },
  seed: { type: "integer", default: 0, help: "the same seed gives the same prompts" },
} as const;

/** What of the line says which task it is. */
export interface TaskCall {
  readonly words: readonly string[];
  readonly body: string;
  readonly options: OptionValues<typeof taskOptions>;
}

/** Prompts of a task, with their answers where there are any. */
type AnyPrompt = tasks.Prompt | tasks.ChoicePrompt;

const generators = {
  ioi: tasks.ioi,
  greaterThan: tasks.greaterThan,
  facts: tasks.facts,
  genderedPronouns: tasks.genderedPronouns,
  subjectVerbAgreement: tasks.subjectVerbAgreement,
  sentiment: tasks.sentiment,
  docstring: tasks.docstring,
} satisfies Record<string, (options: tasks.TaskOptions) => AnyPrompt[]>;

/** The tasks that have a name. */
export const taskNames: readonly string[] = [...Object.keys(generators), "induction"];

const usage = "`ioi`, or prompts as `clean | corrupt | answer | wrong answer`";

/** What the circuit of a call is of, as a title. */
export const titleOf = ({ words }: Pick<TaskCall, "words">, model: Model): string =>
  words.length === 1 ? `${words[0]} on ${model.name}` : model.name;

/** The task of a call, for a model. @throws UsageError that says what is missing or wrong */
export function readTask(
  { words, body, options }: TaskCall,
  model: Model,
  standard: "kl" | "task",
): Pick<CircuitTask, "clean" | "corrupt" | "metric" | "ablation"> {
  const { count, seed, ablation, metric = standard } = options;
  if (count < 1) throw new UsageError(`--count takes a number of prompts from 1 on, not ${count}.`);
  const name = taskName(words, body);
  if (name === "induction") {
    const prompts = tasks.induction({ vocabulary: model.config.dVocab, count, seed });
    const chosen =
      metric === "task" ? { metric: logProb({ token: prompts.map(({ answer }) => answer) }) } : {};
    const open = (ids: readonly number[]): number[] => ids.slice(0, -1);
    const [clean, corrupt] = [
      prompts.map((prompt) => open(prompt.clean)),
      prompts.map((prompt) => open(prompt.corrupt)),
    ];
    return { clean, corrupt, ablation, ...chosen };
  }
  if (name) {
    const prompts: AnyPrompt[] = generators[name as keyof typeof generators]({ count, seed });
    return {
      ...promptTask(prompts),
      ablation,
      ...(metric === "task" ? { metric: tasks.taskMetric(prompts) } : {}),
    };
  }
  const given = promptLines(words, body);
  const chosen: { metric?: Metric } = {};
  const answered = given.filter((prompt) => prompt.answer !== undefined && prompt.wrongAnswer !== undefined);
  if (options.metric === "task" && answered.length < given.length)
    throw new UsageError(
      "--metric task measures right against wrong answers: write each prompt as `clean | corrupt | answer | wrong answer`.",
    );
  if (metric === "task" && answered.length === given.length)
    chosen.metric = tasks.taskMetric(answered as tasks.Prompt[]);
  const needed = ablation === "resample" && given.some(({ corrupt }) => corrupt === undefined);
  if (needed)
    throw new UsageError(
      "Edges are resampled from corrupt prompts: write each prompt as `clean | corrupt`, or choose --ablation zero or mean.",
    );
  const corrupt = given.flatMap((prompt) => prompt.corrupt ?? []);
  return {
    clean: given.map(({ clean }) => clean),
    ...(corrupt.length === given.length ? { corrupt } : {}),
    ablation,
    ...chosen,
  };
}

const promptTask = (prompts: readonly AnyPrompt[]): { clean: string[]; corrupt: string[] } => ({
  clean: prompts.map(({ clean }) => clean),
  corrupt: prompts.map(({ corrupt }) => corrupt),
});

/** The named task of a call; undefined where prompts are given. */
function taskName(words: readonly string[], body: string): string | undefined {
  const [word, ...more] = words;
  if (word === undefined && !body.trim()) throw new UsageError(`A task is missing, such as ${usage}.`);
  if (word === undefined || more.length > 0) return undefined;
  const flat = (name: string): string => name.toLowerCase().replaceAll("-", "");
  const found = taskNames.find((name) => flat(name) === flat(word));
  if (found) return found;
  throw new UsageError(
    `There is no task "${word}". The nearest are ${nearest(word, taskNames).join(", ")}; or give prompts as \`clean | corrupt\`.`,
  );
}

interface GivenPrompt {
  readonly clean: string;
  readonly corrupt?: string;
  readonly answer?: string;
  readonly wrongAnswer?: string;
}

/** Prompts of a line, or of the lines of a cell. Answers get the space before them. */
function promptLines(words: readonly string[], body: string): GivenPrompt[] {
  const lines = [words.join(" "), ...body.split("\n")].filter((line) => line.trim());
  return lines.map((line) => {
    const parts = line.split("|").map((part) => part.trim());
    const [clean, corrupt, answer, wrongAnswer] = parts;
    if (!clean || parts.length > 4 || parts.length === 3 || parts.some((part) => part === ""))
      throw new UsageError(
        `A prompt is written as \`clean | corrupt\` or \`clean | corrupt | answer | wrong answer\`, not "${line.trim()}".`,
      );
    return {
      clean,
      ...(corrupt ? { corrupt } : {}),
      ...(answer && wrongAnswer ? { answer: ` ${answer}`, wrongAnswer: ` ${wrongAnswer}` } : {}),
    };
  });
}

/** The TypeScript that a call's task stands for: what comes before the search, and the options of the task. */
export function taskCode(
  { words, body, options }: TaskCall,
  standard: "kl" | "task",
): { before: string; fields: string[] } {
  const { count, seed, ablation } = options;
  const metric = options.metric ?? standard;
  const tail = ablation === "resample" ? [] : [`ablation: ${JSON.stringify(ablation)}`];
  const name = taskName(words, body);
  const lists = (field: (name: string) => string): string[] =>
    ["clean", "corrupt"].map((part) => `${part}: prompts.map((prompt) => ${field(`prompt.${part}`)})`);
  if (name === "induction") {
    const answers = "metric: logProb({ token: prompts.map((prompt) => prompt.answer) })";
    return {
      before: `${importCode("induction", "tslens/tasks")}${metric === "task" ? importCode("logProb") : ""}const prompts = induction({ vocabulary: model.config.dVocab, count: ${count}, seed: ${seed} });\n`,
      fields: [...lists((part) => `${part}.slice(0, -1)`), ...(metric === "task" ? [answers] : []), ...tail],
    };
  }
  if (name) {
    const imported = metric === "task" ? `${name}, taskMetric` : name;
    return {
      before: `${importCode(imported, "tslens/tasks")}const prompts = ${name}({ count: ${count}, seed: ${seed} });\n`,
      fields: [
        ...lists((part) => part),
        ...(metric === "task" ? ["metric: taskMetric(prompts)"] : []),
        ...tail,
      ],
    };
  }
  const given = promptLines(words, body);
  const answered = metric === "task" && given.every(({ answer }) => answer !== undefined);
  return {
    before: `${answered ? importCode("taskMetric", "tslens/tasks") : ""}const prompts = ${JSON.stringify(given)};\n`,
    fields: [
      "clean: prompts.map((prompt) => prompt.clean)",
      ...(given.every(({ corrupt }) => corrupt !== undefined)
        ? ["corrupt: prompts.map((prompt) => prompt.corrupt)"]
        : []),
      ...(answered ? ["metric: taskMetric(prompts)"] : []),
      ...tail,
    ],
  };
}
