/** What a cell must not do to the process that serves the notebook. */

/** Refuses to end the kernel from within. */
class ProcessExitRefused extends Error {
  override name = "ProcessExitRefused";
}

/** The process's own exit, for the kernel. */
export type Exit = (code: number) => never;

/**
 * Makes `process.exit`, `process.abort` and the like throw, and hands errors that nobody caught to `report`.
 *
 * @returns the function that really ends the process
 */
export function guardProcess(report: (error: unknown) => void): Exit {
  const exit = process.exit.bind(process) as Exit;
  const refuse = (call: string) => (): never => {
    throw new ProcessExitRefused(
      `${call} in a cell would end the kernel, and every variable with it. To start afresh, use the restart button of the notebook.`,
    );
  };
  process.exit = refuse("process.exit()");
  process.abort = refuse("process.abort()");
  process.reallyExit = refuse("process.reallyExit()");
  process.on("uncaughtException", report);
  process.on("unhandledRejection", report);
  return (code) => {
    process.reallyExit = reallyExit;
    return exit(code);
  };
}

type Internal = { reallyExit(code?: number): never };
const reallyExit = (process as unknown as Internal).reallyExit;
declare global {
  namespace NodeJS {
    interface Process {
      reallyExit(code?: number): never;
    }
  }
}
