import { DISPLAY } from "../../display/mime.js";
import { defineMagic, type Magic } from "../magic.js";

const magic: Magic = defineMagic({
  name: "who",
  kind: "line",
  summary: "Lists the variables that cells have declared, with their types and sizes.",
  example: "%who",
  typescript: "console.log(Object.keys(variables)); // there is no list of variables in TypeScript itself",
  run({ variables }) {
    const rows = Object.entries(variables).filter(
      ([name, value]) => value !== undefined && !name.startsWith("tsLastExpr"),
    );
    if (!rows.length) return console.log("No variables yet.");
    const text = rows.map(([name, value]) => `${name}: ${kindOf(value)}`).join("\n");
    return { [DISPLAY]: () => ({ "text/plain": text }) };
  },
});

export default magic;

function kindOf(value: unknown): string {
  if (value === null || (typeof value !== "object" && typeof value !== "function"))
    return value === null ? "null" : typeof value;
  if (typeof value === "function")
    return /^class\b/.test(Function.prototype.toString.call(value)) ? "class" : "function";
  const { shape, dtype } = value as { shape?: unknown; dtype?: unknown };
  const name = value.constructor?.name ?? "object";
  if (Array.isArray(shape)) return `${name} ${String(dtype ?? "")} [${shape.join(", ")}]`;
  const length = (value as { length?: unknown; size?: unknown }).length ?? (value as { size?: unknown }).size;
  return typeof length === "number" ? `${name} (${length})` : name;
}
