/** Conversations as the text that a model was trained on, by the Jinja template that comes with it. */

import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";

/** One message of a conversation. */
export interface ChatMessage {
  /** Who speaks: `"system"`, `"user"`, `"assistant"`, or what the template knows. */
  readonly role: string;
  readonly content: string;
}

/** How a conversation is written. */
export interface ChatOptions {
  /** Ends with the beginning of an answer; `true` by default. */
  readonly addGenerationPrompt?: boolean;
  /** The name of the template, for models that have several; or a template in Jinja. */
  readonly template?: string;
  /** Further variables of the template, such as `tools`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Characters that a conversation may have: a template could ask for any number. */
const MAX_LENGTH = 10_000_000;

/**
 * A conversation as text.
 *
 * @param templates `chat_template` of `tokenizer_config.json`: a template, or several with names
 * @param specials the model's special tokens, such as `bos_token`, by their names in templates
 * @throws if the model has no such template, or the template refuses the conversation
 */
export function applyChatTemplate(
  messages: readonly ChatMessage[],
  templates: unknown,
  specials: Readonly<Record<string, string>>,
  { addGenerationPrompt = true, template, variables = {} }: ChatOptions = {},
): string {
  const source = chosen(templates, template);
  let text: string;
  try {
    text = render(source, {
      ...specials,
      ...variables,
      messages: messages.map((message) => ({ ...message })),
      add_generation_prompt: addGenerationPrompt,
    });
  } catch (error) {
    throw new Error(
      `The chat template cannot write this conversation: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
  if (text.length > MAX_LENGTH)
    throw new Error(`The chat template makes ${text.length} characters of this conversation.`);
  return text;
}

/** As the library's `Template` does, but with a `range` that takes no more memory than a template can need. */
function render(source: string, variables: Readonly<Record<string, unknown>>): string {
  const environment = new Environment();
  const globals = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range,
    raise_exception: (message: unknown): never => {
      throw new Error(String(message));
    },
    strftime_now: (format: unknown): string => dateText(String(format), new Date()),
  };
  for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
  const program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
  return String((new Interpreter(environment).run(program) as { value: unknown }).value);
}

/** Numbers that a template may count through. */
const MAX_RANGE = 100_000;

function range(first: number, end?: number, step = 1): number[] {
  const [from, to] = end === undefined ? [0, first] : [first, end];
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (!(count <= MAX_RANGE)) throw new Error(`it counts from ${from} to ${to} by ${step}`);
  return Array.from({ length: count }, (_, i) => from + i * step);
}

/** A date by the letters of C's `strftime` that templates use. */
function dateText(format: string, date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const month = (length: "short" | "long"): string => date.toLocaleString("en-US", { month: length });
  const parts: Readonly<Record<string, () => string>> = {
    d: () => two(date.getDate()),
    m: () => two(date.getMonth() + 1),
    y: () => two(date.getFullYear() % 100),
    Y: () => String(date.getFullYear()),
    b: () => month("short"),
    B: () => month("long"),
    A: () => date.toLocaleString("en-US", { weekday: "long" }),
    a: () => date.toLocaleString("en-US", { weekday: "short" }),
    H: () => two(date.getHours()),
    M: () => two(date.getMinutes()),
    S: () => two(date.getSeconds()),
    "%": () => "%",
  };
  return format.replace(/%([a-zA-Z%])/g, (whole, letter: string) => parts[letter]?.() ?? whole);
}

function chosen(templates: unknown, name: string | undefined): string {
  if (name !== undefined && /\{[{%]/.test(name)) return name;
  const named = new Map<string, string>();
  if (typeof templates === "string") named.set("default", templates);
  else if (Array.isArray(templates))
    for (const { name: key, template } of templates as { name?: unknown; template?: unknown }[])
      if (typeof key === "string" && typeof template === "string") named.set(key, template);
  const found = named.get(name ?? "default");
  if (found !== undefined) return found;
  if (named.size === 0)
    throw new Error(
      "This model has no chat template: it was not trained on conversations. Give one as `template`.",
    );
  throw new Error(
    `This model has no chat template "${name ?? "default"}"; it has ${[...named.keys()].map((key) => `"${key}"`).join(", ")}.`,
  );
}
