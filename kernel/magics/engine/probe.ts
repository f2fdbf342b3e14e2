import { probe } from "../../../src/index.js";
import { callCode, importCode } from "../code.js";
import { defineMagic, type Magic, type MagicCall } from "../magic.js";
import { UsageError } from "../options.js";
import { variableNames, variableOf } from "../variables.js";
import { currentModel } from "./current-model.js";

const options = {
  pos: { type: "integer", default: -1, help: "the position that is read; -1 is the last" },
  trainShare: {
    type: "number",
    default: 0.5,
    help: "the share of the texts, from the first on, that the probes learn from; the others test them",
  },
} as const;

const magic: Magic = defineMagic({
  name: "probe",
  kind: "both",
  summary:
    "Fits a linear probe on each layer and shows what it reads: on two variables, or on lines of 0 or 1 and a text.",
  usage: "[<texts> <labels>]",
  options,
  example: "%%probe --train-share 0.75\n1 I am happy\n1 You are glad\n0 I am sad\n0 You are sorry",
  typescript(call) {
    const { pos, trainShare } = call.options;
    const [texts, labels] = sourceOf(call);
    const rest = `${pos === -1 ? "" : `, pos: ${pos}`}${trainShare === 0.5 ? "" : `, trainShare: ${trainShare}`}`;
    return `${importCode("probe")}await ${callCode("probe", "model", texts, `{ labels: ${labels}${rest} }`)};`;
  },
  run(context) {
    const model = currentModel(context);
    const { pos, trainShare } = context.options;
    const { texts, labels } = context.words.length ? named(context) : written(context.body);
    return probe(model, texts, { labels, pos, trainShare, signal: context.signal });
  },
  complete: ({ variables, option }) => (option ? [] : variableNames(variables)),
});

export default magic;

interface Examples {
  readonly texts: readonly string[];
  readonly labels: readonly number[];
}

/** The texts and labels as TypeScript. */
function sourceOf({ words, body }: Pick<MagicCall, "words" | "body">): [texts: string, labels: string] {
  if (words.length) return twoWords(words);
  const { texts, labels } = written(body);
  return [JSON.stringify(texts), JSON.stringify(labels)];
}

function twoWords(words: readonly string[]): [string, string] {
  if (words.length === 2) return [words[0]!, words[1]!];
  throw new UsageError(
    `%probe takes two variables, a list of texts and a list of labels; ${words.length} words came.`,
  );
}

function named({ words, variables }: Pick<Parameters<Magic["run"]>[0], "words" | "variables">): Examples {
  const [textsName, labelsName] = twoWords(words);
  const texts = variableOf(variables, textsName);
  const labels = variableOf(variables, labelsName);
  if (!Array.isArray(texts) || !texts.every((text) => typeof text === "string"))
    throw new UsageError(`${textsName} is no list of texts.`);
  if (!Array.isArray(labels) || !labels.every((label) => label === 0 || label === 1))
    throw new UsageError(`${labelsName} is no list of labels, each 0 or 1.`);
  return { texts, labels };
}

/** Lines of a label and a text. */
function written(body: string): Examples {
  const lines = body.split("\n").filter((line) => line.trim());
  if (!lines.length)
    throw new UsageError("%%probe needs lines of 0 or 1 and a text below it, such as `1 I am happy`.");
  const pairs = lines.map((line) => {
    const match = /^([01])[ \t](.*)$/.exec(line);
    if (!match) throw new UsageError(`A line of %%probe is 0 or 1, a space and a text, not "${line}".`);
    return { label: Number(match[1]), text: match[2]! };
  });
  return { texts: pairs.map(({ text }) => text), labels: pairs.map(({ label }) => label) };
}
