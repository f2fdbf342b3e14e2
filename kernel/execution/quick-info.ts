import type { QuickInfo } from "typescript";

/** What the language service knows of a place, as text and as Markdown. */
export interface Documentation {
  readonly text: string;
  readonly markdown: string;
}

type Parts = readonly { readonly text: string }[] | undefined;

const textOf = (parts: Parts): string => (parts ?? []).map(({ text }) => text).join("");

/** The signature, the description and the tags of a quick info. */
export function documentation({
  displayParts,
  documentation: description,
  tags = [],
}: QuickInfo): Documentation {
  const signature = textOf(displayParts);
  const about = textOf(description);
  const notes = tags.map(({ name, text }) => ({ name, text: textOf(text) }));
  const plain = notes.map(({ name, text }) => `@${name} ${text}`.trimEnd());
  const marked = notes.map(({ name, text }) => {
    const separator = text.includes("\n") || text.startsWith("```") ? "\n\n" : " ";
    return `**@${name}**${separator}${text}`.trimEnd();
  });
  return {
    text: [signature, about, plain.join("\n")].filter(Boolean).join("\n\n"),
    markdown: [`\`\`\`ts\n${signature}\n\`\`\``, about, ...marked].filter(Boolean).join("\n\n"),
  };
}
