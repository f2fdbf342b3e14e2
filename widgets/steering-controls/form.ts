import { hasKernel, type ViewModel } from "../browser/contract.js";
import { element, field, fillSelect } from "../browser/dom.js";
import { showTyped, whenTyped } from "../browser/typing.js";
import { groupNames, joinName, splitName } from "../names.js";
import type {
  Direction,
  DirectionField,
  Positions,
  SteeringChoices,
  SteeringControlsState,
} from "./state.js";

/** The controls of a run. */
export interface Form {
  readonly nodes: readonly HTMLElement[];
  /** The coefficient's, which stands beside the buttons. */
  readonly slider: HTMLElement;
  /** Shows the model's present choices, but for what the reader is typing. */
  update(): void;
  /** Forgets what has not been sent yet. */
  stop(): void;
}

const positionTexts: readonly (readonly [Positions, string])[] = [
  ["all", "all positions"],
  ["last", "last prompt token only"],
  ["from-prompt-end", "from last prompt token on"],
];

/** Makes the controls. */
export function steeringForm(model: ViewModel<SteeringControlsState>): Form {
  const forget: (() => void)[] = [];
  const choose = (choices: Partial<SteeringChoices>): void => {
    if (!hasKernel(model)) return;
    for (const [name, value] of Object.entries(choices))
      model.set(name as keyof SteeringChoices, value as never);
    model.save_changes();
  };
  const typed = (
    input: HTMLInputElement | HTMLTextAreaElement,
    choices: () => Partial<SteeringChoices> | null,
  ): void => {
    const send = (): void => {
      const chosen = choices();
      if (chosen) choose(chosen);
    };
    forget.push(whenTyped(input, send));
  };
  const numeric = (name: "max_new_tokens" | "temperature" | "seed", step: number): HTMLInputElement => {
    const input = element("input", {
      attributes: { type: "number", min: name === "max_new_tokens" ? 1 : 0, step },
    });
    typed(input, () =>
      input.value === "" || Number.isNaN(input.valueAsNumber) ? null : { [name]: input.valueAsNumber },
    );
    return input;
  };

  const prompt = element("textarea", { attributes: { rows: 2, spellcheck: "false" } });
  typed(prompt, () => ({ prompt: prompt.value }));

  const kinds = (): Map<string, number[]> => groupNames(model.get("points"));
  const current = () => splitName(model.get("point"));
  const point = element("select");
  point.addEventListener("change", () => {
    const layers = kinds().get(point.value) ?? [];
    const { layer } = current();
    choose({
      point: joinName(
        point.value,
        layers.length === 0 ? null : layers.includes(layer ?? -1) ? layer : layers[0]!,
      ),
    });
  });
  const layer = element("select");
  layer.addEventListener("change", () => choose({ point: joinName(current().kind, Number(layer.value)) }));
  const layerField = field("Layer", layer);

  const kind = element("select");
  kind.addEventListener("change", () => {
    const chosen = model.get("kinds").find((candidate) => candidate.kind === kind.value);
    if (chosen) choose({ direction: { kind: chosen.kind, values: initialValues(chosen.fields) } });
  });
  const directionBar = element("div", { class: "tslens-bar direction" });
  let inputs: { name: string; input: HTMLInputElement }[] = [];
  let drawnKind = "";

  /** The fields of the chosen kind; made anew only when another kind is chosen, so that typing is not disturbed. */
  const drawFields = (direction: Direction): void => {
    const chosen = model.get("kinds").find((candidate) => candidate.kind === direction.kind);
    if (drawnKind === direction.kind) return;
    drawnKind = direction.kind;
    inputs = (chosen?.fields ?? []).map(({ name, type, hint }) => {
      const input = element("input", { attributes: { type, placeholder: hint ?? "", spellcheck: "false" } });
      typed(input, () => ({
        direction: {
          kind: direction.kind,
          values: Object.fromEntries(inputs.map((entry) => [entry.name, entry.input.value])),
        },
      }));
      return { name, input };
    });
    const captions = chosen?.fields.map(({ label }) => label) ?? [];
    directionBar.replaceChildren(
      field("Direction", kind),
      ...inputs.map(({ input }, i) => field(captions[i]!, input)),
    );
  };

  const slider = element("input", { attributes: { type: "range" } });
  const coefficient = element("input", {
    attributes: { type: "number", "aria-label": "Coefficient, exact" },
  });
  let frame = 0;
  slider.addEventListener("input", () => {
    coefficient.value = slider.value;
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      choose({ coefficient: slider.valueAsNumber });
    });
  });
  typed(coefficient, () =>
    Number.isNaN(coefficient.valueAsNumber) ? null : { coefficient: coefficient.valueAsNumber },
  );
  const sliderField = field("Coefficient", slider);
  sliderField.classList.add("tslens-coefficient");
  const sliderRow = element("span", { class: "tslens-slider" });
  slider.replaceWith(sliderRow);
  sliderRow.append(slider, coefficient);

  const positions = element("select");
  positions.addEventListener("change", () => choose({ positions: positions.value as Positions }));
  const tokens = numeric("max_new_tokens", 1);
  const temperature = numeric("temperature", 0.1);
  const seed = numeric("seed", 1);
  const seedField = field("Seed", seed);

  const promptField = field("Prompt", prompt);
  promptField.classList.add("tslens-prompt");
  const settings = element(
    "div",
    { class: "tslens-bar" },
    field("Point", point),
    layerField,
    field("Add at", positions),
    field("New tokens", tokens),
    field("Temperature", temperature),
    seedField,
  );
  const all = (): (HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement)[] => [
    ...[prompt, point, layer, kind, slider, coefficient, positions, tokens, temperature, seed],
    ...inputs.map(({ input }) => input),
  ];
  return {
    nodes: [promptField, directionBar, settings],
    slider: sliderField,
    update() {
      showTyped(prompt, model.get("prompt"));
      const { kind: currentKind, layer: currentLayer } = current();
      const layers = kinds().get(currentKind) ?? [];
      fillSelect(
        point,
        [...kinds().keys()].map((name) => ({ value: name, text: name.replace(/^[^.]*\.\*\./, "") })),
        currentKind,
      );
      fillSelect(
        layer,
        layers.map((i) => ({ value: String(i), text: String(i) })),
        String(currentLayer),
      );
      layerField.hidden = layers.length === 0;
      const direction = model.get("direction");
      drawFields(direction);
      fillSelect(
        kind,
        model.get("kinds").map((entry) => ({ value: entry.kind, text: entry.label })),
        direction.kind,
      );
      for (const { name, input } of inputs) showTyped(input, direction.values[name] ?? "");
      const value = model.get("coefficient");
      const [from, to] = model.get("coefficient_range");
      slider.min = String(Math.min(from, value));
      slider.max = String(Math.max(to, value));
      slider.step = coefficient.step = String(model.get("coefficient_step"));
      if (frame === 0) slider.value = String(value);
      showTyped(coefficient, String(value));
      fillSelect(
        positions,
        positionTexts.map(([name, text]) => ({ value: name, text })),
        model.get("positions"),
      );
      tokens.max = String(model.get("token_limit"));
      showTyped(tokens, String(model.get("max_new_tokens")));
      showTyped(temperature, String(model.get("temperature")));
      showTyped(seed, String(model.get("seed")));
      seedField.hidden = model.get("temperature") === 0;
      for (const control of all()) control.disabled = !hasKernel(model);
    },
    stop() {
      for (const one of forget) one();
      cancelAnimationFrame(frame);
    },
  };
}

function initialValues(fields: readonly DirectionField[]): Record<string, string> {
  return Object.fromEntries(fields.map(({ name, value }) => [name, value ?? ""]));
}
