import { Session } from "node:inspector";

/**
 * Ends the JavaScript that the main thread is running, from a worker thread; all state and all timers stay. Neither
 * `catch` nor `finally` of the ended code runs, and its pending microtasks are dropped.
 */
export function terminateMainThread(): Promise<void> {
  return new Promise((resolve) => {
    const session = new Session();
    session.connectToMainThread();
    session.post("Runtime.terminateExecution", () => {
      session.disconnect();
      resolve();
    });
  });
}
