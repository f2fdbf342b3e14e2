import type { Cell } from "./cell.js";
import { resetContext } from "./context.js";

/** Runs a cell to its end and tells when it is there. */
export interface CellRunner {
  /** Starts a cell; it calls `done` at its end, also when it is interrupted. */
  start(cell: Cell, done: (failed: boolean) => void): void;
  /** Answers a cell that is not run. */
  abort(cell: Cell): void;
  /** Calls back when everything that has arrived so far is in the queue. */
  afterArrived(callback: () => void): void;
}

/**
 * The cells that wait, and the one that runs.
 *
 * It moves on by turns of the event loop, never by promises: terminated code takes pending promises with it.
 */
export class CellQueue {
  readonly #waiting: Cell[] = [];
  #running: Cell | undefined;
  #aborting = false;

  constructor(private readonly runner: CellRunner) {}

  /** The cell that runs. */
  get running(): Cell | undefined {
    return this.#running;
  }

  add(cell: Cell): void {
    this.#waiting.push(cell);
    this.advance();
  }

  /** Starts the next cell where none runs. */
  advance(): void {
    if (this.#running || this.#aborting) return;
    const cell = this.#waiting.shift();
    if (!cell) return;
    this.#running = cell;
    let over = false;
    this.runner.start(cell, (failed) => {
      if (over) return;
      over = true;
      this.#running = undefined;
      if (failed && cell.stopOnError) this.#abortWaiting();
      else this.#advanceSoon();
    });
  }

  /** Aborts what is already waiting, and nothing that arrives later. */
  #abortWaiting(): void {
    this.#aborting = true;
    this.runner.afterArrived(() => {
      for (const cell of this.#waiting.splice(0)) this.runner.abort(cell);
      this.#aborting = false;
      this.#advanceSoon();
    });
  }

  #advanceSoon(): void {
    // A message of the socket thread comes in a turn of its own, from which a cell can be terminated safely.
    this.runner.afterArrived(() => {
      resetContext();
      this.advance();
    });
  }
}
