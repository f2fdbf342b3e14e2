import { ChildProcess, type SpawnOptions } from "node:child_process";

/** `spawn` of a child process, by which every way of starting one goes that does not wait for its end. */
interface Spawner {
  spawn(options: SpawnOptions): number;
}

/**
 * Tells of the processes that cells start, so that none is left behind by the kernel. One that is started as `detached`
 * is meant to outlive it.
 *
 * @param tell is called with a process's id when it has been started, and again when it has ended
 */
export function watchChildren(tell: (pid: number, runs: boolean) => void): void {
  const prototype = ChildProcess.prototype as unknown as Spawner;
  const { spawn } = prototype;
  prototype.spawn = function (this: ChildProcess & Spawner, options) {
    const status = Reflect.apply(spawn, this, [options]);
    const { pid } = this;
    if (pid !== undefined && !options.detached) {
      tell(pid, true);
      this.once("exit", () => tell(pid, false));
    }
    return status;
  };
}
