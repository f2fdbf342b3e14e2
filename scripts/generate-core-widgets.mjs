// Writes kernel/comms/core/generated.ts: the classes of ipywidgets' core widgets, from the schema of their models.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const schemaFile = require.resolve("@jupyter-widgets/schema/jupyterwidgetmodels.latest.json");
const { version } = require("@jupyter-widgets/schema/package.json");

/** The file that is generated. */
export const generatedFile = fileURLToPath(new URL("../kernel/comms/core/generated.ts", import.meta.url));

/** Names that differ from the model's: those that ipywidgets' classes have. */
const names = { Datetime: "DatetimePicker", NaiveDatetime: "NaiveDatetimePicker", Time: "TimePicker" };
/** Widgets that a reference in the schema means. */
const referred = { "ControllerModel.axes": "ControllerAxis", "ControllerModel.buttons": "ControllerButton" };
/** The base of all media, which is no widget of its own. */
const skipped = new Set(["DOMWidgetModel"]);

/** Classes with more to them than traits. */
const bases = {
  Box: "Container<$T>",
  HBox: "Container<$T>",
  VBox: "Container<$T>",
  GridBox: "Container<$T>",
  Tab: "Tabbed<$T>",
  Accordion: "Container<$T>",
  Stack: "Container<$T>",
  Button: "Clickable<$T>",
  Text: "Submittable<$T>",
  Textarea: "Submittable<$T>",
  Password: "Submittable<$T>",
  Combobox: "Submittable<$T>",
  Output: "Capturing<$T>",
  Dropdown: "SingleSelection<V, $T>",
  RadioButtons: "SingleSelection<V, $T>",
  Select: "SingleSelection<V, $T>",
  SelectionSlider: "SingleSelection<V, $T>",
  ToggleButtons: "SingleSelection<V, $T>",
  SelectMultiple: "MultipleSelection<V, $T>",
  SelectionRangeSlider: "RangeSelection<V, $T>",
};

/** What each widget is, in a sentence. */
const summaries = {
  Accordion: "Pages of which one is open, each under its title.",
  Audio: "A player of sounds.",
  BoundedFloatText: "A field for a number between bounds.",
  BoundedIntText: "A field for a whole number between bounds.",
  Box: "A row of widgets that may break into several lines.",
  Button: "A button; `onClick` says what it does.",
  ButtonStyle: "The colours and the font of a button.",
  Checkbox: "A box to tick, with a description.",
  CheckboxStyle: "The look of a checkbox.",
  ColorPicker: "A field for a colour.",
  ColorsInput: "A list of colours that a reader edits.",
  Combobox: "A field for a text, with suggestions.",
  Controller: "A gamepad.",
  ControllerAxis: "An axis of a gamepad.",
  ControllerButton: "A button of a gamepad.",
  DatePicker: "A field for a day.",
  DatetimePicker: "A field for a moment; its time zone is kept.",
  DescriptionStyle: "The look of a description.",
  DirectionalLink: "A link of two traits in the browser, one way; `jsdlink` makes it.",
  Dropdown: "A menu of which one option is chosen.",
  FileUpload: "A button that brings files from the reader's computer; `value` has their contents.",
  FloatLogSlider: "A slider for a number on a logarithmic scale; `min` and `max` are exponents of `base`.",
  FloatProgress: "A bar that shows a number between bounds.",
  FloatRangeSlider: "A slider with two handles for a range of numbers.",
  FloatSlider: "A slider for a number.",
  FloatText: "A field for a number.",
  FloatsInput: "A list of numbers that a reader edits.",
  GridBox: "Widgets in a grid, which its layout describes.",
  HBox: "Widgets beside each other.",
  HTML: "HTML, as it stands.",
  HTMLMath: "HTML with formulas.",
  HTMLMathStyle: "The font of an HTMLMath.",
  HTMLStyle: "The font of an HTML.",
  Image: "A picture, by its bytes.",
  IntProgress: "A bar that shows a whole number between bounds.",
  IntRangeSlider: "A slider with two handles for a range of whole numbers.",
  IntSlider: "A slider for a whole number.",
  IntText: "A field for a whole number.",
  IntsInput: "A list of whole numbers that a reader edits.",
  Label: "A line of text; formulas may be in it.",
  LabelStyle: "The font of a label.",
  Layout: "Where a widget stands in its page, and how large it is: CSS properties.",
  Link: "A link of two traits in the browser, both ways; `jslink` makes it.",
  NaiveDatetimePicker: "A field for a moment, in the kernel's time zone.",
  Output: "A place for what code writes and displays; `capture` fills it.",
  Password: "A field for a text that nobody shall see.",
  Play: "Buttons that let a number run, for animations.",
  ProgressStyle: "The colour of a progress bar.",
  RadioButtons: "A list of options of which one is chosen, all of them to be seen.",
  Select: "A list of options of which one is chosen.",
  SelectMultiple: "A list of options of which several are chosen.",
  SelectionRangeSlider: "A slider with two handles for a range of options.",
  SelectionSlider: "A slider over options.",
  SliderStyle: "The colour of a slider's handle.",
  Stack: "Pages of which one is shown, without titles.",
  Tab: "Pages of which one is shown, under a row of titles.",
  TagsInput: "A list of texts that a reader edits.",
  Text: "A field for a line of text.",
  TextStyle: "The font of a field.",
  Textarea: "A field for several lines of text.",
  TimePicker: "A field for a time of day.",
  ToggleButton: "A button that stays pressed.",
  ToggleButtonStyle: "The font of a toggle button.",
  ToggleButtons: "Buttons of which one is pressed.",
  ToggleButtonsStyle: "The width and the font of toggle buttons.",
  VBox: "Widgets below each other.",
  Valid: "A sign that says whether something is valid.",
  Video: "A player of films.",
};

const identityNames = new Set([
  "_model_module",
  "_model_module_version",
  "_model_name",
  "_view_module",
  "_view_module_version",
  "_view_name",
]);

const className = (model) => names[model.replace(/Model$/, "")] ?? model.replace(/Model$/, "");
const camelCase = (name) => name.replace(/^_/, "").replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** What a list holds, where the schema does not say it. */
function itemsOf(model, { name, default: standard }) {
  if (model === "LinkModel" || model === "DirectionalLinkModel") return { type: "link" };
  if (/^(Floats|Ints)Input/.test(model)) return { type: model.startsWith("Ints") ? "int" : "float" };
  if (/^(Tags|Colors)Input/.test(model)) return { type: "string" };
  if (Array.isArray(standard) && standard.length === 2) {
    return { type: /^Float/.test(model) ? "float" : "int", length: 2 };
  }
  throw new Error(`The schema does not say what ${model}.${name} holds.`);
}

/** One trait, as the generated code has it: its specification and its type. */
function traitOf(model, attribute) {
  const { name, help, allow_none: nullable } = attribute;
  const trait = camelCase(name);
  const list = attribute.type === "array";
  const item = list ? (attribute.items ?? itemsOf(model, attribute)) : attribute;
  const kinds = [item.type].flat();
  const values = attribute.enum ?? attribute.union_attributes?.flatMap((part) => part.enum ?? []);
  const spec = { wire: name };
  let type;
  if (item.type === "reference" && !list) {
    type = item.widget;
    spec.kind = "widget";
  } else if (item.type === "reference") {
    const widget = referred[`${model}.${name}`];
    type = widget ?? "AnyWidget";
    spec.kind = "widget";
  } else if (item.type === "link") {
    type = "readonly [widget: AnyWidget, trait: string]";
    spec.kind = "any";
    spec.pair = true;
  } else {
    [spec.kind, type] = scalar(model, kinds);
  }
  if (values?.length) {
    spec.values = values;
    const texts = values.map((text) => JSON.stringify(text)).join(" | ");
    type = kinds.includes("int") || kinds.includes("float") ? `${type} | ${texts}` : texts;
  }
  if (nullable) spec.nullable = true;
  if (spec.pair) delete spec.pair;
  else if (list && item.length) {
    spec.list = true;
    spec.length = item.length;
    type = `readonly [${Array(item.length).fill(type).join(", ")}]`;
  } else if (list) {
    spec.list = true;
    type = `readonly ${type.includes(" ") ? `(${type})` : type}[]`;
  }
  const owned = item.type === "reference" && !list;
  if (!owned && attribute.type !== "bytes" && attribute.default !== null) spec.default = attribute.default;
  const doc = documentation(help, owned || attribute.type === "bytes" ? undefined : attribute.default);
  return { trait, spec, make: owned ? type : undefined, type: nullable ? `${type} | null` : type, doc };
}

function scalar(model, [kind]) {
  switch (kind) {
    case "int":
    case "float":
      return [kind, "number"];
    case "string":
      return ["string", "string"];
    case "bool":
      return ["bool", "boolean"];
    case "bytes":
      return ["bytes", "Uint8Array"];
    case "Date":
      return ["date", "Date"];
    case "Time":
      return ["time", "TimeOfDay"];
    case "Datetime":
      return [model === "NaiveDatetimeModel" ? "naiveDatetime" : "datetime", "Date"];
    case "object":
      return ["any", "object"];
    default:
      throw new Error(`The schema has a type ${kind} in ${model}, which the generator does not know.`);
  }
}

function documentation(help, standard) {
  const text = help
    .replaceAll("Is widget tabbable?", "Whether the keyboard's Tab key reaches it.")
    .replaceAll(", or None to", ", or null to")
    .replaceAll("*/", "*∕")
    .trim();
  const sentence = text && !/[.?!]$/.test(text) ? `${text}.` : text;
  const shown = standard === undefined ? "" : `Default: ${JSON.stringify(standard)}.`;
  return [sentence, shown].filter(Boolean).join(" ");
}

const code = (value) => JSON.stringify(value);

function specCode({ spec, make }) {
  const parts = Object.entries(spec).map(([name, value]) => `${name}: ${code(value)}`);
  if (make) parts.push(`make: (traits) => new ${make}(traits)`);
  return `{ ${parts.join(", ")} }`;
}

const member = ({ trait, type, doc }) => `  /** ${doc} */\n  ${trait}: ${type};\n`;

/** The text of the generated file, before it is formatted. */
export function generateCoreWidgets() {
  const schema = JSON.parse(readFileSync(schemaFile, "utf8"));
  const models = schema.filter(({ model }) => !skipped.has(model.name));
  const dom = schema
    .find(({ model }) => model.name === "DOMWidgetModel")
    .attributes.filter(({ name }) => !identityNames.has(name) && name !== "value")
    .map((attribute) => traitOf("DOMWidgetModel", attribute));
  const domNames = new Set(dom.map(({ trait }) => trait));

  const parts = [
    `// Generated by scripts/generate-core-widgets.mjs from @jupyter-widgets/schema ${version}: change that, not this file.
// biome-ignore-all lint/suspicious/noUnsafeDeclarationMerging: every trait of an interface is made a property by define
// biome-ignore-all lint/correctness/noUnusedVariables: an interface that merges with a class repeats its parameters
/** The core widgets of ipywidgets 8. */
import { Capturing } from "./capturing.js";
import { Clickable } from "./clickable.js";
import { type AnyWidget, Container, Tabbed } from "./container.js";
import { CoreWidget, define } from "./core-widget.js";
import { MultipleSelection, RangeSelection, SingleSelection } from "./selection.js";
import { Submittable } from "./submittable.js";
import type { TimeOfDay, TraitSpecs, WidgetDefinition } from "./traits.js";

/** The traits of every widget that stands in a page. */
export interface DomTraits {
${dom.map(member).join("")}}

const dom: TraitSpecs = {
${dom.map((trait) => `  ${trait.trait}: ${specCode(trait)},\n`).join("")}};
`,
  ];
  for (const { model, attributes, view } of models) {
    const name = className(model.name);
    const traits = attributes
      .filter((attribute) => !identityNames.has(attribute.name))
      .map((attribute) => traitOf(model.name, attribute));
    const isDom = [...domNames].every((trait) => traits.some((other) => other.trait === trait));
    const own = isDom ? traits.filter(({ trait }) => !domNames.has(trait)) : traits;
    const visible = own.filter(({ trait }) => trait !== "optionsLabels");
    const selects = /Selection</.test(bases[name] ?? "");
    const type = selects ? "<V>" : "";
    const base = (bases[name] ?? "CoreWidget<$T>").replace("$T", `${name}Traits`);
    const identity = Object.fromEntries(
      attributes
        .filter((attribute) => identityNames.has(attribute.name))
        .map((attribute) => [attribute.name, attribute.default]),
    );
    if (!summaries[name]) throw new Error(`The generator has no sentence that says what ${name} is.`);
    if (identity._view_name !== view.name) throw new Error(`The schema names two views of ${name}.`);
    const derived = selects ? `value: { wire: "index", kind: "any", derived: true },` : "";
    parts.push(`
/** The traits of \`${name}\`. */
export interface ${name}Traits ${isDom ? "extends DomTraits " : ""}{
${visible.map(member).join("")}}

export interface ${name}${type} extends ${name}Traits {}
/** ${summaries[name]} */
export class ${name}${type} extends ${base} {
  static override readonly definition: WidgetDefinition = define(
    ${name},
    ${code(name)},
    ${code(identity)},
    { ${isDom ? "...dom, " : ""}${own.map((trait) => `${trait.trait}: ${specCode(trait)}`).join(", ")}${own.length ? "," : ""}${derived} },
  );
}
`);
  }
  return parts.join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { spawnSync } = await import("node:child_process");
  writeFileSync(generatedFile, generateCoreWidgets());
  const biome = join(fileURLToPath(new URL("..", import.meta.url)), "node_modules/@biomejs/biome/bin/biome");
  const { status } = spawnSync(process.execPath, [biome, "check", "--write", generatedFile], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
