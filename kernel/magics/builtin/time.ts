import { defineMagic, type Magic } from "../magic.js";

/** The clock that rewritten `%time` lines use. */
export const TIME_FUNCTION = "__tslensTime__";

const magic: Magic = defineMagic({
  name: "time",
  kind: "both",
  summary: "Says how long a line, or a whole cell, takes.",
  usage: "<code>",
  parsed: false,
  example: "%time const squares = Array.from({ length: 1e6 }, (_, i) => i * i);",
  typescript:
    'console.time("cell");\nconst squares = Array.from({ length: 1e6 }, (_, i) => i * i);\nconsole.timeEnd("cell");',
  rewrite(line) {
    // The clock is read before and after on the same line, so that what the line declares stays declared.
    const clock = `(globalThis as any).${TIME_FUNCTION}`;
    return `${clock}.start(); ${line.replace(/;?\s*$/, ";")} ${clock}.stop();`;
  },
  async run({ line, body, execute }) {
    const start = performance.now();
    const value = await execute(`${line}\n${body}`);
    console.log(timeText(performance.now() - start));
    return value;
  },
});

export default magic;

/** Gives rewritten lines their clock. */
export function defineClock(): void {
  const starts: number[] = [];
  const clock = {
    start: (): void => void starts.push(performance.now()),
    stop: (): void => console.log(timeText(performance.now() - (starts.pop() ?? performance.now()))),
  };
  Object.assign(globalThis, { [TIME_FUNCTION]: clock });
}

/** A duration in a unit that fits. */
export function timeText(ms: number): string {
  if (ms < 1000) return `Time: ${ms.toPrecision(3)} ms`;
  if (ms < 60_000) return `Time: ${(ms / 1000).toPrecision(3)} s`;
  return `Time: ${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
