import { element } from "../browser/dom.js";
import { colourAt, css, inkOn, position, type Theme } from "../colour.js";
import { axesOf, cellText, describeCell, describeEffect, type Effects, effectsOf } from "./effects.js";
import type { PatchingResult } from "./state.js";

/** What the map tells its surroundings. */
export interface MapEvents {
  /** The reader looks at a cell, by pointer or keyboard, or at none. */
  look(cell: number | null): void;
  /** The reader chooses a cell. */
  select(cell: number): void;
}

/** Narrower columns have no room for numbers. */
const numbersFit = 28;

/** The heat map: a table whose cells are numbers on colours, which the arrow keys walk through. */
export class HeatMap {
  readonly node = element("div", { class: "tslens-scroll" });
  private readonly table = element("table", {
    class: "tslens-map",
    attributes: { role: "grid", "aria-readonly": "true" },
  });
  /** In the order of the result. */
  private cells: HTMLTableCellElement[] = [];
  private columns = 0;
  private result: PatchingResult | null = null;
  private effects: Effects | null = null;
  private focus = 0;

  constructor(private readonly events: MapEvents) {
    this.node.append(this.table);
    const cellOf = (event: Event): number | null => {
      const cell = (event.target as Element).closest("td");
      return cell ? this.cells.indexOf(cell) : null;
    };
    this.table.addEventListener("pointerover", (event) => events.look(cellOf(event)));
    this.table.addEventListener("pointerleave", () => events.look(null));
    this.table.addEventListener("focusin", (event) => events.look(cellOf(event)));
    this.table.addEventListener("focusout", () => events.look(null));
    this.table.addEventListener("click", (event) => {
      const cell = cellOf(event);
      if (cell === null) return;
      this.moveTo(cell);
      events.select(cell);
    });
    this.table.addEventListener("keydown", (event) => this.press(event));
  }

  /** Draws a result; layers grow upwards. */
  show(result: PatchingResult, selected: number | null, theme: Theme): void {
    if (result !== this.result) {
      const hadFocus = this.table.contains(document.activeElement);
      this.build(result);
      if (hadFocus) this.cells[this.focus]?.focus();
    }
    this.paint(theme);
    this.select(selected);
  }

  /** Marks the chosen cell. */
  select(selected: number | null): void {
    this.cells.forEach((cell, i) => {
      cell.setAttribute("aria-selected", String(i === selected));
    });
    if (selected !== null && !this.table.contains(document.activeElement)) this.makeReachable(selected);
  }

  /** A cell in words. */
  describe(cell: number): string {
    return `${describeCell(this.result!, cell)}: ${describeEffect(this.effects!, cell)}`;
  }

  /** Its value, for the mark in the legend. */
  valueOf(cell: number): number {
    return this.effects!.values[cell]!;
  }

  private build(result: PatchingResult): void {
    this.result = result;
    this.effects = effectsOf(result);
    const { rows, cols, rowTitle, colTitle } = axesOf(result);
    this.columns = cols.length;
    const name = (text: string, scope: "row" | "col"): HTMLTableCellElement =>
      element("th", { attributes: { scope, title: text } }, element("span", { text }));
    const corner = element("th", { class: "corner" }, element("span", { text: `${rowTitle} ↑` }));
    const head = element("tr", {}, corner, ...cols.map((text) => name(text, "col")));
    this.cells = [];
    const lines = rows.map((text, row) => {
      const line = element("tr", {}, name(text, "row"));
      for (let col = 0; col < cols.length; col++) {
        const cell = row * cols.length + col;
        const title = this.describe(cell);
        const made = element("td", { attributes: { role: "gridcell", tabindex: -1, title } });
        this.cells[cell] = made;
        line.append(made);
      }
      return line;
    });
    const body = element("tbody", {}, ...lines.reverse());
    const caption = element("caption", { text: `columns: ${colTitle}` });
    this.table.replaceChildren(caption, element("thead", {}, head), body);
    this.table.setAttribute(
      "aria-label",
      `Effect of patching ${result.choices.at}, ${rowTitle} by ${colTitle}`,
    );
    this.table.classList.toggle("upright", cols.some((text) => text.length > 3) && cols.length > 6);
    this.focus = Math.min(this.focus, this.cells.length - 1);
    this.makeReachable(Math.max(0, this.focus));
  }

  private paint(theme: Theme): void {
    const { values, scale } = this.effects!;
    const width = (this.node.clientWidth - 90) / Math.max(1, this.columns);
    this.table.classList.toggle("narrow", width > 0 && width < numbersFit);
    this.cells.forEach((cell, i) => {
      const value = values[i]!;
      const known = Number.isFinite(value);
      const colour = colourAt(scale.kind, theme, position(scale, known ? value : 0));
      cell.style.backgroundColor = known ? css(colour) : "";
      cell.style.color = known ? inkOn(colour) : "";
      cell.classList.toggle("unknown", !known);
      const text = cellText(value);
      if (cell.textContent !== text) cell.textContent = text;
    });
  }

  /** The one cell that the Tab key comes to. */
  private makeReachable(cell: number): void {
    for (const one of this.cells) one.tabIndex = -1;
    this.focus = cell;
    if (this.cells[cell]) this.cells[cell].tabIndex = 0;
  }

  private moveTo(cell: number): void {
    this.makeReachable(cell);
    this.cells[cell]?.focus();
  }

  private press(event: KeyboardEvent): void {
    if (event.metaKey || event.altKey) return;
    const { columns, cells } = this;
    const last = cells.length / columns - 1;
    const [row, col] = [Math.floor(this.focus / columns), this.focus % columns];
    const to = (r: number, c: number): void =>
      this.moveTo(Math.min(last, Math.max(0, r)) * columns + Math.min(columns - 1, Math.max(0, c)));
    const actions: Record<string, () => void> = {
      ArrowUp: () => to(row + 1, col),
      ArrowDown: () => to(row - 1, col),
      ArrowLeft: () => to(row, col - 1),
      ArrowRight: () => to(row, col + 1),
      Home: () => to(row, 0),
      End: () => to(row, columns),
      "Ctrl+Home": () => to(last, 0),
      "Ctrl+End": () => to(0, columns),
      Enter: () => this.events.select(this.focus),
      " ": () => this.events.select(this.focus),
    };
    if (event.shiftKey && event.key === "Enter") return;
    const action = actions[event.ctrlKey ? `Ctrl+${event.key}` : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }
}
