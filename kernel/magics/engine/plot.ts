import { type AnyTensor, contiguous } from "../../../src/array/index.js";
import { barChart, heatmap, lineChart, type Plot, type Tensor } from "../../../src/index.js";
import { isTensor } from "../../display/inspect.js";
import { defineMagic, type Magic } from "../magic.js";
import { UsageError } from "../options.js";
import { variableNames, variableOf } from "../variables.js";

const magic: Magic = defineMagic({
  name: "plot",
  kind: "line",
  summary:
    "Draws a variable: a result as it draws itself, a row of numbers as a line, a table of numbers as a heatmap.",
  usage: "<variable>",
  options: {
    kind: {
      type: "string",
      choices: ["line", "bar", "heatmap"],
      help: "the chart; by default it follows from the values",
    },
    title: { type: "string", help: "a title above the chart" },
    theme: { type: "string", choices: ["light", "dark"], help: "the colours; by default the front end's" },
  },
  example: "%plot losses --kind bar",
  typescript: 'import { barChart } from "tslens";\nbarChart(losses);',
  run({ words, options, variables }) {
    const [name] = words;
    if (name === undefined || words.length > 1)
      throw new UsageError(`%plot takes one variable, such as \`%plot losses\`; ${words.length} words came.`);
    return plotOf(name, variableOf(variables, name), options);
  },
  complete: ({ variables, option }) => (option ? [] : variableNames(variables)),
});

export default magic;

interface Wanted {
  readonly kind: string | undefined;
  readonly title: string | undefined;
  readonly theme: "light" | "dark" | undefined;
}

function plotOf(name: string, value: unknown, { kind, title, theme }: Wanted): Plot {
  const { plot } = value as { plot?: unknown };
  if (typeof plot === "function") {
    if (kind ?? title ?? theme) throw new UsageError(`${name} draws itself: it takes no options here.`);
    return plot.call(value) as Plot;
  }
  const options = {
    ...(title === undefined ? {} : { title }),
    ...(theme === undefined ? {} : { theme }),
  };
  const table = tableOf(value);
  if (table && (kind === undefined || kind === "heatmap")) return heatmap(table, options);
  const numbers = numbersOf(value);
  if (numbers && kind === "bar") return barChart(numbers, options);
  if (numbers && (kind === undefined || kind === "line")) return lineChart({ [name]: numbers }, options);
  const wanted =
    kind === "heatmap" || table
      ? "a table of numbers [rows, columns] makes a heatmap"
      : "a list of numbers makes a line or bars";
  throw new UsageError(`${name} cannot be drawn${kind ? ` as a ${kind} chart` : ""}: ${wanted}.`);
}

function tableOf(value: unknown): Tensor | number[][] | undefined {
  if (isTensor(value)) return value.shape.length === 2 ? (value as Tensor) : undefined;
  const rows = Array.isArray(value) && value.length > 0 && value.every((row) => numbersOf(row) !== undefined);
  return rows ? value.map((row) => numbersOf(row)!) : undefined;
}

function numbersOf(value: unknown): number[] | undefined {
  if (isTensor(value)) return value.shape.length === 1 ? numbersIn(value) : undefined;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as ArrayLike<number>, Number);
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "number")
    ? value
    : undefined;
}

function numbersIn(x: AnyTensor): number[] {
  return Array.from(contiguous(x).data as ArrayLike<number | bigint>, Number);
}
