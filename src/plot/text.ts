/** A number in at most about four significant digits. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "∞";
  if (value === -Infinity) return "-∞";
  const rounded = Number(value.toPrecision(4));
  const size = Math.abs(rounded);
  return size !== 0 && (size < 1e-4 || size >= 1e7) ? rounded.toExponential() : String(rounded);
}

/** A label cut to `length` characters. */
export function shortened(label: string, length = 16): string {
  const characters = Array.from(label);
  return characters.length <= length ? label : `${characters.slice(0, length - 1).join("")}…`;
}

/** Rows of cells with the columns aligned: the first to the left, the others to the right. */
export function alignedTable(rows: readonly (readonly string[])[]): string {
  const width = (column: number): number =>
    Math.max(...rows.map((row) => Array.from(row[column] ?? "").length));
  const widths = (rows[0] ?? []).map((_, column) => width(column));
  const pad = (cell: string, column: number): string => {
    const space = " ".repeat(widths[column]! - Array.from(cell).length);
    return column === 0 ? cell + space : space + cell;
  };
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

/** Items with the middle left out where there are more than `most`; `gap` stands in its place. */
export function middleOut<T>(items: readonly T[], most: number, gap: T): T[] {
  if (items.length <= most) return [...items];
  const head = Math.ceil((most - 1) / 2);
  return [...items.slice(0, head), gap, ...items.slice(items.length - (most - 1 - head))];
}

const blocks = "▁▂▃▄▅▆▇█";

/** The course of some values as one line of block characters; what is not finite is a blank. */
export function sparkline(values: readonly number[], most = 60): string {
  const step = Math.max(1, values.length / most);
  const picked = Array.from(
    { length: Math.min(values.length, most) },
    (_, i) => values[Math.min(values.length - 1, Math.floor(i * step))]!,
  );
  const finite = picked.filter(Number.isFinite);
  const least = Math.min(...finite);
  const range = Math.max(...finite) - least || 1;
  return picked
    .map((value) =>
      Number.isFinite(value) ? blocks[Math.min(7, Math.floor(((value - least) / range) * 8))] : " ",
    )
    .join("");
}
