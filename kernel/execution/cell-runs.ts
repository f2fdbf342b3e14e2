import { type Displayer, limited } from "../display/display.js";
import { type MimeBundle, mimeBundle } from "../display/mime.js";
import type { MagicServices, Magics } from "../magics/registry.js";
import { MAGIC_FUNCTION } from "../magics/source.js";
import { KeyboardInterrupt } from "../protocol/keyboard-interrupt.js";
import type { Json } from "../protocol/message.js";
import { defineAwaited } from "./awaits.js";
import { type Cell, currentWork } from "./cell.js";
import type { Evaluator } from "./evaluator.js";
import { describeFailure, type ErrorContent } from "./traceback.js";

/** How a cell ended. */
export interface CellEnd {
  /** The content of the `execute_reply`, without the count. */
  readonly reply: Json;
  /** The MIME bundle of the cell's value, where it has one. */
  readonly output?: MimeBundle;
  /** The content of the `error` message, where it failed. */
  readonly error?: ErrorContent;
}

/** What asks a console to end, where no variable is called so; notebooks pass over it. */
const LEAVE = /^\s*(exit|quit)(?:\(\))?;?\s*$/;

/** Runs cells to their ends, and ends them from outside. */
export class CellRuns {
  readonly #ends = new Map<Cell, (end: CellEnd) => void>();

  constructor(
    private readonly evaluator: Evaluator,
    private readonly magics: Magics,
    private readonly displayer: Displayer,
  ) {
    defineAwaited();
    Object.assign(globalThis, { [MAGIC_FUNCTION]: this.#runLine.bind(this) });
  }

  /** Starts a cell; `onEnd` is called once. */
  start(cell: Cell, onEnd: (end: CellEnd) => void): void {
    this.#ends.set(cell, onEnd);
    void this.#run(cell).then((end) => this.#end(cell, end));
  }

  /** Ends a cell that an interrupt has not ended by itself, with the timers that it has set. */
  interrupt(cell: Cell): void {
    if (!this.#ends.has(cell)) return;
    cell.stop();
    this.evaluator.abandon();
    this.#end(
      cell,
      failed(describeFailure({ kind: "interrupted" }, cell.code, this.evaluator.compiler.sources)),
    );
  }

  /** Ends a cell that has used up the memory. */
  endForMemory(cell: Cell, sentence: string): void {
    cell.exhausted = false;
    cell.stop();
    this.evaluator.abandon();
    const { sources } = this.evaluator.compiler;
    this.#end(cell, failed(describeFailure({ kind: "memory", sentence }, cell.code, sources)));
  }

  #end(cell: Cell, end: CellEnd): void {
    if (cell.exhausted) return;
    const onEnd = this.#ends.get(cell);
    this.#ends.delete(cell);
    onEnd?.(end);
  }

  async #run(cell: Cell): Promise<CellEnd> {
    try {
      await this.#evaluate(cell);
      if (!cell.failure) {
        const output = cell.silent ? undefined : await mimeBundle(cell.result?.value);
        const user_expressions = await this.#userExpressions(cell);
        const reply = { status: "ok", payload: cell.payload, user_expressions };
        return output ? { reply, output: limited(output) } : { reply };
      }
    } catch (error) {
      cell.failure = { kind: "thrown", error };
    }
    return failed(this.#describe(cell));
  }

  #describe(cell: Cell): ErrorContent {
    const { failure } = cell;
    // Whatever an interrupted cell throws, it was interrupted.
    const stopped = cell.abort.signal.aborted || (failure?.kind === "thrown" && isInterrupt(failure.error));
    return describeFailure(
      stopped ? { kind: "interrupted" } : failure!,
      cell.code,
      this.evaluator.compiler.sources,
    );
  }

  async #evaluate(cell: Cell): Promise<void> {
    const leave = LEAVE.exec(cell.code)?.[1];
    if (leave && !(leave in this.evaluator.variables)) {
      cell.payload.push({ source: "ask_exit", keepkernel: false });
      return;
    }
    const read = this.magics.read(cell.code);
    if (read.kind === "code") await this.evaluator.run(cell, read.code, cell.code);
    else if (read.kind === "help") cell.result = { value: this.magics.help(read.name) };
    else {
      const value = await this.magics.run("cell", read.name, read.line, read.body, this.#services(cell));
      cell.result = { value };
    }
  }

  async #userExpressions(cell: Cell): Promise<Json> {
    const results: Json = {};
    for (const [name, code] of Object.entries((cell.request.content.user_expressions ?? {}) as Json)) {
      await this.evaluator.run(cell, String(code));
      if (cell.failure) results[name] = { status: "error", ...this.#describe(cell) };
      else results[name] = { status: "ok", data: (await mimeBundle(cell.result?.value)) ?? {}, metadata: {} };
      cell.failure = undefined;
    }
    return results;
  }

  #runLine(action: "run" | "help", name: string, line: string): unknown {
    if (action === "help") return this.magics.help(name);
    return this.magics.run("line", name, line, "", this.#services(currentWork()!.cell!));
  }

  #services(cell: Cell): MagicServices {
    return {
      signal: cell.abort.signal,
      variables: this.evaluator.variables,
      display: (value) => this.displayer.display(value),
      capture: (take) => {
        cell.capture = take;
        return () => {
          cell.capture = undefined;
        };
      },
      replaceCell: (text) => cell.payload.push({ source: "set_next_input", text, replace: true }),
      reset: () => this.evaluator.reset(),
      execute: async (code) => {
        const read = this.magics.read(code);
        if (read.kind === "code") await this.evaluator.run(cell, read.code, code);
        if (cell.failure?.kind === "thrown") throw cell.failure.error;
        if (cell.failure) throw new SyntaxError(this.#describe(cell).evalue);
        return cell.result?.value;
      },
    };
  }
}

/** Whether this was thrown because the work was interrupted, by the kernel or by a signal at the start of a cell. */
function isInterrupt(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return error instanceof KeyboardInterrupt || code === "ERR_SCRIPT_EXECUTION_INTERRUPTED";
}

function failed(error: ErrorContent): CellEnd {
  return { reply: { status: "error", ...error }, error };
}
