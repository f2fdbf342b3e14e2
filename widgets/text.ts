/** Characters that draw nothing, or change how their neighbours are drawn (bidirectional controls among them). */
const invisible = /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu;

/**
 * A token as a person can read it: a leading or trailing space as `·`, a line break as `↵`, a tab as `⇥`, other
 * invisible characters as their code.
 *
 * @example
 * showToken(" the\n"); // "·the↵"
 */
export function showToken(token: string): string {
  if (token === "") return "∅";
  return token
    .replace(/^ +| +$/g, (spaces) => "·".repeat(spaces.length))
    .replaceAll("\n", "↵")
    .replaceAll("\t", "⇥")
    .replace(invisible, (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`);
}

/** The shortest decimal number that is this float32 and no other: what "the exact value" means for a reader. */
export function exactFloat32(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+∞" : "−∞";
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === Math.fround(value)) return minus(String(candidate));
  }
  return minus(String(Number(value.toPrecision(9))));
}

/** A number in about `digits` significant digits, for legends and cells. */
export function shortNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return exactFloat32(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3)
    return minus(value.toExponential(Math.max(0, digits - 2)).replace("e+", "e"));
  const text = value.toPrecision(digits);
  return minus(text.includes("e") ? String(Number(text)) : text);
}

/** More than one of what an axis has: `keys`, `queries`; `pos` and sizes such as `dModel` as they are. */
export function plural(axis: string): string {
  if (axis.endsWith("s") || /^d[A-Z]/.test(axis)) return axis;
  return axis.endsWith("y") && !/[aeiou]y$/.test(axis) ? `${axis.slice(0, -1)}ies` : `${axis}s`;
}

/** A probability in percent, in about three digits. */
export function percent(probability: number): string {
  const value = 100 * probability;
  if (!Number.isFinite(value)) return "–";
  if (value > 0 && value < 0.01) return "<0.01 %";
  return `${value >= 10 ? value.toFixed(1) : value.toFixed(2)} %`;
}

/** Escapes text for HTML, attributes included. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => names[character]!);
}

/** The proper minus sign: a hyphen is easily overlooked in a table of numbers. */
function minus(text: string): string {
  return text.replace("-", "−");
}
