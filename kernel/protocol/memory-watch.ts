import { readFileSync } from "node:fs";
import { Session } from "node:inspector";
import { totalmem } from "node:os";

/** How often the memory is looked at while a cell runs, and while none does. */
const BUSY_MS = 50;
const IDLE_MS = 1000;
/** The part of the JavaScript heap that may be in use: beyond it V8 would soon end the process, without a word. */
const HEAP = 0.8;
/** The part of it that may still be in use when the garbage is collected, for the kernel to be of use. */
const LASTING = 0.6;
/** The part of the machine's, or the container's, memory that the process may hold. */
const OWN = 0.8;
/** Where this little is left of it and the process holds half, the system would soon end the process. */
const LEFT = 0.05;

/** What a process holds of a machine's memory, in bytes. */
export interface MachineUse {
  /** What the process holds that is no file's. */
  readonly own: number;
  /** What the machine, or the container, has. */
  readonly total: number;
  /** What it has left. */
  readonly available: number;
}

/** Whether the system would soon end a process for want of memory. */
export function isShort({ own, total, available }: MachineUse): boolean {
  // Files that are mapped, such as weights, count as used in a container, but are given back.
  return own > OWN * total || (available < LEFT * total && own > total / 2);
}

/** Watches the memory of the process from a thread beside the one that may fill it. */
export class MemoryWatch {
  readonly #main = new Session();
  #connected = false;
  #asked = false;
  #paused = false;
  #timer: NodeJS.Timeout;

  /**
   * @param heapLimit the most that the main thread's JavaScript heap may hold, in bytes
   * @param exhausted is told what is nearly used up, as the end of a sentence
   */
  constructor(
    private readonly heapLimit: number,
    private readonly exhausted: (what: string) => void,
  ) {
    this.#timer = setInterval(() => this.#look(), IDLE_MS).unref();
  }

  /** Looks often while a cell runs. */
  set busy(busy: boolean) {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), busy ? BUSY_MS : IDLE_MS).unref();
  }

  #look(): void {
    if (this.#paused) return;
    const resident = process.memoryUsage.rss();
    const total = Math.min(process.constrainedMemory() || Infinity, totalmem());
    if (resident > total / 2) {
      const own = anonymousMemory() ?? resident;
      if (isShort({ own, total, available: process.availableMemory() })) {
        this.#tell(`${gigabytes(own)} of the ${gigabytes(total)} that the machine has`);
        return;
      }
    }
    if (resident < this.heapLimit / 2 || this.#asked) return;
    this.#asked = true;
    void this.#heapUse().then((used) => {
      this.#asked = false;
      if (used > HEAP * this.heapLimit && !this.#paused) {
        const limit = gigabytes(this.heapLimit);
        this.#tell(`${gigabytes(used)} of the ${limit} that values of JavaScript may take`);
      }
    });
  }

  #tell(what: string): void {
    this.#paused = true;
    this.exhausted(what);
  }

  /** Collects the garbage and goes on; whether what is left is too much for the kernel to be of use. */
  async collect(): Promise<boolean> {
    await this.#post("HeapProfiler.collectGarbage");
    const used = await this.#heapUse();
    const total = Math.min(process.constrainedMemory() || Infinity, totalmem());
    const own = anonymousMemory() ?? process.memoryUsage.rss();
    this.#paused = false;
    return used > LASTING * this.heapLimit || isShort({ own, total, available: process.availableMemory() });
  }

  async #heapUse(): Promise<number> {
    const { usedSize } = (await this.#post("Runtime.getHeapUsage")) as { usedSize: number };
    return usedSize;
  }

  /** Asks the main thread's V8, which answers also where its JavaScript does not yield. */
  #post(method: string): Promise<unknown> {
    if (!this.#connected) this.#main.connectToMainThread();
    this.#connected = true;
    return new Promise((resolve, reject) => {
      this.#main.post(method, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }
}

/** The memory of this process that is no file's, where the system tells. */
function anonymousMemory(): number | undefined {
  try {
    const match = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"));
    return match ? 1024 * Number(match[1]) : undefined;
  } catch {
    return undefined;
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
