/** Attributes and properties of an element that these views set. */
export interface ElementOptions {
  readonly class?: string;
  /** Set as text, never as HTML. */
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** Makes an element. Text goes in as text only: tokens may contain anything. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: ElementOptions = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (options.class) made.className = options.class;
  if (options.text !== undefined) made.textContent = options.text;
  for (const [name, value] of Object.entries(options.attributes ?? {}))
    made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** A control with its caption above it. */
export function field(caption: string, control: HTMLElement, hint?: Node): HTMLLabelElement {
  const heading = element("span", { class: "tslens-caption", text: caption });
  if (hint) heading.append(hint);
  return element("label", { class: "tslens-field" }, heading, control);
}

/** The keys for something, drawn as keys. */
export function keyHint(...keys: string[]): HTMLElement {
  return element("span", { class: "tslens-keys" }, ...keys.map((key) => element("kbd", { text: key })));
}

/** One entry of a select. */
export interface Option {
  readonly value: string;
  readonly text: string;
}

/** Fills a select, leaving its elements alone where nothing changed (an open list would close). */
export function fillSelect(select: HTMLSelectElement, options: readonly Option[], value: string): void {
  const same =
    select.options.length === options.length &&
    options.every(
      ({ value, text }, i) => select.options[i]!.value === value && select.options[i]!.text === text,
    );
  if (!same) select.replaceChildren(...options.map((option) => new Option(option.text, option.value)));
  select.value = value;
}

/** Runs a function once at the next animation frame, however often it is asked for. */
export function onFrame(draw: () => void): { request(): void; cancel(): void } {
  let frame = 0;
  return {
    request() {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw();
      });
    },
    cancel() {
      cancelAnimationFrame(frame);
      frame = 0;
    },
  };
}

/**
 * Keeps the keys that controls use from the notebook, whose command mode would take arrows and letters.
 * Keys with Ctrl, Meta or Alt, and Shift+Enter outside text, stay the notebook's: running cells must work everywhere.
 */
export function keepKeys(root: HTMLElement): () => void {
  const keep = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && event.shiftKey) return;
    if (event.key === "Escape" || event.key === "Tab") return;
    event.stopPropagation();
  };
  root.addEventListener("keydown", keep);
  return () => root.removeEventListener("keydown", keep);
}
