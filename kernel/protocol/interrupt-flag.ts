/**
 * The handshake between the main thread, which runs cells, and the socket thread, which hears the interrupt.
 *
 * The socket thread asks. Where the main thread's event loop turns, it takes the request and ends the cell gently.
 * Where it does not, the socket thread claims the request and terminates the JavaScript that is running. Exactly one
 * of the two happens, and never while the main thread is in a section that must not be torn: the compiler, and native
 * code, which ends the process when the JavaScript around it is terminated.
 */
const STATE = 0;
const PROTECTED = 1;
const INPUTS = 2;

const IDLE = 0;
const ASKED = 1;
const TERMINATING = 2;

/** Memory shared by both threads. */
export function newInterruptMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
}

/** The socket thread's side. */
export class InterruptAsker {
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory);
  }

  /** Asks; false where an earlier request is still open. Wakes a main thread that waits for input. */
  ask(): boolean {
    const first = Atomics.compareExchange(this.#cells, STATE, IDLE, ASKED) === IDLE;
    this.wake();
    return first;
  }

  /** Wakes a main thread that waits for input. */
  wake(): void {
    Atomics.add(this.#cells, INPUTS, 1);
    Atomics.notify(this.#cells, INPUTS);
  }

  /** Claims the right to terminate: true where the main thread has not taken the request and is not protected. */
  claim(): boolean {
    if (Atomics.compareExchange(this.#cells, STATE, ASKED, TERMINATING) !== ASKED) return false;
    // Looked at after the claim, as the main thread looks at the claim after it has entered: one sees the other.
    if (!this.sectionRuns) return true;
    Atomics.store(this.#cells, STATE, ASKED);
    return false;
  }

  /** Whether the main thread is in a protected section. */
  get sectionRuns(): boolean {
    return Atomics.load(this.#cells, PROTECTED) > 0;
  }

  /** Whether the request is still open. */
  get open(): boolean {
    return Atomics.load(this.#cells, STATE) === ASKED;
  }

  /** Tells that the termination is over. */
  finish(): void {
    Atomics.store(this.#cells, STATE, IDLE);
  }
}

/** The main thread's side. */
export class InterruptTaker {
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory);
  }

  /**
   * Takes the request; whether there was one. Where the other thread has just claimed it, waits to be terminated, which
   * ends this call.
   */
  take(): boolean {
    for (;;) {
      const state = Atomics.compareExchange(this.#cells, STATE, ASKED, IDLE);
      if (state !== TERMINATING) return state === ASKED;
    }
  }

  /** How often the main thread has been woken. */
  get wakes(): number {
    return Atomics.load(this.#cells, INPUTS);
  }

  /** Blocks until the main thread is woken once more than so often. */
  waitBeyond(wakes: number): void {
    Atomics.wait(this.#cells, INPUTS, wakes);
  }

  /** Runs a synchronous section that is never terminated. */
  protect<T>(section: () => T): T {
    this.#enter();
    try {
      return section();
    } finally {
      Atomics.sub(this.#cells, PROTECTED, 1);
    }
  }

  #enter(): void {
    for (;;) {
      Atomics.add(this.#cells, PROTECTED, 1);
      if (Atomics.load(this.#cells, STATE) !== TERMINATING) return;
      Atomics.sub(this.#cells, PROTECTED, 1);
      while (Atomics.load(this.#cells, STATE) === TERMINATING);
    }
  }

  /** Told where nothing runs: what was terminated on its way into a section is in none. */
  afterTermination(): void {
    Atomics.store(this.#cells, PROTECTED, 0);
  }
}
