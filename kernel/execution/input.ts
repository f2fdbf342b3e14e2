import type { Header, Message } from "../protocol/message.js";
import type { Cell } from "./cell.js";

/** How a question reaches the reader. */
export interface FrontEnd {
  /** Sends an `input_request` on stdin; returns its header. */
  ask(cell: Cell, content: { prompt: string; password: boolean }): Header;
  /**
   * Blocks until an `input_reply` comes.
   *
   * @throws KeyboardInterrupt when the reader presses the stop button instead
   */
  waitForInput(): Message;
}

/**
 * Asks the reader for a line and waits for it, as `prompt` does in a browser.
 *
 * @param password whether what is typed is hidden
 * @returns null where the front end cannot ask
 */
export function askReader(
  frontEnd: FrontEnd,
  cell: Cell | undefined,
  prompt: string,
  password = false,
): string | null {
  if (cell?.request.content.allow_stdin !== true) return null;
  const { msg_id } = frontEnd.ask(cell, { prompt, password });
  for (;;) {
    const { parent, content } = frontEnd.waitForInput();
    // Not every front end names the request. An answer to an older, interrupted question is passed over.
    if (!parent.msg_id || parent.msg_id === msg_id || parent.msg_id === cell.parent.msg_id)
      return String(content.value ?? "");
  }
}

/** Gives cells the browser's `prompt` and `confirm`, and Deno's `promptSecret`. */
export function definePrompts(ask: (prompt: string, hidden?: boolean) => string | null): void {
  const prompt = (message = "", defaultValue = ""): string | null => {
    const answer = ask(message && !/\s$/.test(message) ? `${message} ` : message);
    return answer === "" ? defaultValue : answer;
  };
  const confirm = (message = ""): boolean => /^\s*y(es)?\s*$/i.test(ask(`${message} [y/N] `) ?? "");
  const promptSecret = (message = "Secret"): string | null =>
    ask(/\s$/.test(message) ? message : `${message} `, true);
  Object.assign(globalThis, { prompt, confirm, promptSecret });
}
