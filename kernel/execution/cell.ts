import type { Header, Json, Message } from "../protocol/message.js";
import { currentContext } from "./context.js";
import type { Failure } from "./failure.js";

/** What is running: a request, and for an `execute_request` its cell. */
export interface Work {
  readonly parent: Header;
  readonly request: Message;
  readonly cell?: Cell;
  /** Whether its progress is kept from the notebook: a widget that answers a gesture shows what comes of it. */
  readonly quiet?: boolean;
  /** Takes what it writes and displays, in the notebook's place; undefined where that goes to the notebook. */
  readonly capture?: ((type: string, content: Json) => void) | undefined;
}

/** One execution of a cell. */
export class Cell implements Work {
  readonly cell: Cell = this;
  /** Aborted when the cell is interrupted. */
  readonly abort: AbortController = new AbortController();
  /** What ends the timers that the cell has set. */
  readonly timers: Set<() => void> = new Set();
  /** Whether it was ended from outside: what is left of its code sets no timers and ends where it awaits. */
  stopped = false;
  /** The value of the last expression. */
  result: { value: unknown } | undefined;
  capture: ((type: string, content: Json) => void) | undefined;
  /** What the front end shall do besides, as in the `payload` of an `execute_reply`. */
  readonly payload: Json[] = [];
  /** Why the cell failed. */
  failure: Failure | undefined;
  /** Whether it has used up the memory: it is ended when that has been looked into. */
  exhausted = false;
  /** The number in front of the cell, from its start on; a cell that is never run uses none up. */
  count = 0;

  constructor(
    readonly request: Message,
    readonly code: string,
    readonly silent: boolean,
    readonly storeHistory: boolean,
    readonly stopOnError: boolean,
  ) {}

  get parent(): Header {
    return this.request.header;
  }

  /** Ends every timer that the cell has set and that has not fired, and the code of the cell at its next await. */
  stop(): void {
    this.stopped = true;
    for (const end of this.timers) end();
    this.timers.clear();
  }
}

/** The work that the code running now belongs to, where that is known. */
export function currentWork(): Work | undefined {
  return currentContext() as Work | undefined;
}
