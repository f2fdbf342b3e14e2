import { rmSync, watch } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * The file in which Node describes a fatal error of V8. Nobody reads it: that it appears is the only sign that the main
 * thread gives of its end.
 *
 * @param beside a file in whose folder there is place for it
 */
export function fatalReportFile(beside: string): string {
  return join(dirname(beside), `tslens-${process.pid}-fatal.json`);
}

/** Makes Node write the file. To be called in the main thread. */
export function reportFatalErrors(file: string): void {
  const { report } = process;
  if (!report) return;
  report.directory = dirname(file);
  report.filename = basename(file);
  report.reportOnFatalError = true;
}

/**
 * Calls back when the main thread meets a fatal error: a few milliseconds before the process ends.
 *
 * @param file as `reportFatalErrors` was given it
 */
export function watchFatalErrors(file: string, met: () => void): void {
  try {
    const watcher = watch(dirname(file), (_, name) => {
      if (name !== basename(file)) return;
      watcher.close();
      met();
      // It lists the environment, which is nobody's business.
      rmSync(file, { force: true });
    });
    watcher.unref();
    watcher.on("error", () => watcher.close());
  } catch {
    // Where folders cannot be watched, nobody is told.
  }
}
