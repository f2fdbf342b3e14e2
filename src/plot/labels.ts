const visible: Record<string, string> = { "\n": "↵", "\r": "␍", "\t": "⇥" };

/** A label with line breaks, tabs and other control characters made visible; a token may be nothing else. */
export function visibleLabel(label: string | number): string {
  return String(label).replace(/[\p{Cc}\u2028\u2029]/gu, (character) => visible[character] ?? "·");
}

/**
 * The labels of an axis of `length` places, or its numbers from 0 on where none are given.
 *
 * @throws RangeError where there are more or fewer labels than places.
 */
export function axisLabels(
  labels: readonly (string | number)[] | undefined,
  length: number,
  axis: string,
): string[] {
  if (!labels) return Array.from({ length }, (_, i) => String(i));
  if (labels.length !== length) {
    throw new RangeError(`The ${axis} axis has ${length} places, but ${labels.length} labels came.`);
  }
  return labels.map(visibleLabel);
}

/**
 * A Vega-Lite axis whose places are numbered and whose labels are looked up: the same label may stand twice, as tokens
 * do. The labels enter the expression as JSON texts, so none of them is code.
 */
export function indexedAxis(labels: readonly string[], title: string | undefined): Record<string, unknown> {
  return {
    title: title ?? null,
    labelExpr: `${JSON.stringify(labels)}[datum.value]`,
    labelOverlap: "greedy",
  };
}
