import type { Cell } from "./cell.js";
import { resetContext } from "./context.js";

/** Runs a cell to its end and tells when it is there. */
export interface CellRunner {
  /** Starts a cell; it calls `done` at its end, also when it is interrupted; `answer` then sends the reply. */
  start(cell: Cell, done: (failed: boolean, answer: () => void) => void): void;
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
    this.runner.start(cell, (failed, answer) => {
      if (over) return;
      over = true;
      this.#running = undefined;
      if (failed && cell.stopOnError) this.#abortWaiting(answer);
      else {
        answer();
        this.#advanceSoon();
      }
    });
  }

  /** Aborts what is already waiting, and nothing that a client sends when it has seen the answer. */
  #abortWaiting(answer: () => void): void {
    this.#aborting = true;
    this.runner.afterArrived(() => {
      const waiting = this.#waiting.splice(0);
      this.#aborting = false;
      answer();
      for (const cell of waiting) this.runner.abort(cell);
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
