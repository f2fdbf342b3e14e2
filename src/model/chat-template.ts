/** Conversations as the text that a model was trained on, by the Jinja template that comes with it. */

import { Template } from "@huggingface/jinja";

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
    text = new Template(source).render({
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
