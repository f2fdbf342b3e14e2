import { hasKernel, type ViewModel } from "../browser/contract.js";
import { element, field, fillSelect } from "../browser/dom.js";
import { showTyped, whenTyped } from "../browser/typing.js";
import type { Direction, PatchingChoices, PatchingExplorerState } from "./state.js";

/** The controls of a sweep. */
export interface Form {
  /** The two prompts. */
  readonly prompts: HTMLElement;
  /** What is patched and measured. */
  readonly settings: HTMLElement;
  /** Shows the model's present choices, but for what the reader is typing. */
  update(): void;
  /** Forgets what has not been sent yet. */
  stop(): void;
}

const directionTexts: readonly (readonly [Direction, string])[] = [
  ["denoising", "clean into corrupt"],
  ["noising", "corrupt into clean"],
];

const pointTexts: Readonly<Record<string, string>> = {
  resid_pre: "residual stream before a block",
  resid_mid: "residual stream before the MLP",
  resid_post: "residual stream after a block",
  attn_out: "attention's output",
  mlp_out: "MLP's output",
  z: "heads",
  q: "queries",
  k: "keys",
  v: "values",
  pattern: "attention patterns",
  post: "MLP's neurons",
};

/** A table's axes as a reader knows them: `layer × position`. */
const gridText = (over: readonly string[]): string =>
  over.map((axis) => (axis === "pos" ? "position" : axis)).join(" × ");

/** Makes the controls. */
export function patchingForm(model: ViewModel<PatchingExplorerState>): Form {
  const forget: (() => void)[] = [];
  const choose = (choices: Partial<PatchingChoices>): void => {
    if (!hasKernel(model)) return;
    for (const [name, value] of Object.entries(choices))
      model.set(name as keyof PatchingChoices, value as never);
    model.save_changes();
  };
  const typed = <T extends HTMLInputElement | HTMLTextAreaElement>(
    input: T,
    name: "clean" | "corrupt" | "answer" | "wrong_answer",
  ): T => {
    forget.push(
      whenTyped(input, () => {
        if (input.value !== model.get(name)) choose({ [name]: input.value });
      }),
    );
    return input;
  };
  const text = (name: "clean" | "corrupt"): HTMLTextAreaElement =>
    typed(element("textarea", { attributes: { rows: 1, spellcheck: "false" } }), name);
  const token = (name: "answer" | "wrong_answer"): HTMLInputElement =>
    typed(element("input", { attributes: { type: "text", spellcheck: "false", size: 9 } }), name);
  const pick = (choices: (value: string) => Partial<PatchingChoices>): HTMLSelectElement => {
    const select = element("select");
    select.addEventListener("change", () => choose(choices(select.value)));
    return select;
  };

  const clean = text("clean");
  const corrupt = text("corrupt");
  const grids = (at: string): readonly (readonly string[])[] =>
    model.get("points").find((point) => point.at === at)?.grids ?? [];
  const at = pick((value) => {
    const kept = grids(value).find((grid) => String(grid) === String(model.get("over")));
    return { at: value, over: kept ?? grids(value)[0] ?? [] };
  });
  const over = pick((value) => ({ over: value.split(",") }));
  const metric = pick((value) => ({ metric: value }));
  const direction = pick((value) => ({ direction: value as Direction }));
  const answer = token("answer");
  const wrongAnswer = token("wrong_answer");
  const answerField = field("Answer", answer);
  const wrongField = field("Wrong answer", wrongAnswer);
  const controls = [clean, corrupt, at, over, metric, direction, answer, wrongAnswer];

  return {
    prompts: element(
      "div",
      { class: "tslens-prompts" },
      field("Clean prompt", clean),
      field("Corrupt prompt", corrupt),
    ),
    settings: element(
      "div",
      { class: "tslens-bar" },
      field("Patch", at),
      field("Map", over),
      field("Direction", direction),
      field("Metric", metric),
      answerField,
      wrongField,
    ),
    update() {
      showTyped(clean, model.get("clean"));
      showTyped(corrupt, model.get("corrupt"));
      showTyped(answer, model.get("answer"));
      showTyped(wrongAnswer, model.get("wrong_answer"));
      const point = model.get("at");
      fillSelect(
        at,
        model.get("points").map((one) => ({
          value: one.at,
          text: pointTexts[one.at] ? `${one.at}: ${pointTexts[one.at]}` : one.at,
        })),
        point,
      );
      fillSelect(
        over,
        grids(point).map((grid) => ({ value: String(grid), text: gridText(grid) })),
        String(model.get("over")),
      );
      fillSelect(
        direction,
        directionTexts.map(([value, words]) => ({ value, text: words })),
        model.get("direction"),
      );
      const kinds = model.get("metrics");
      fillSelect(
        metric,
        kinds.map(({ kind, label }) => ({ value: kind, text: label })),
        model.get("metric"),
      );
      const answers = kinds.find(({ kind }) => kind === model.get("metric"))?.answers ?? 0;
      answerField.hidden = answers < 1;
      wrongField.hidden = answers < 2;
      for (const control of controls) control.disabled = !hasKernel(model);
    },
    stop() {
      for (const one of forget) one();
    },
  };
}
