import { writeSync } from "node:fs";
import { inspect } from "node:util";
import type { Progress } from "../src/runtime/host.js";
import type { TakeOutput } from "./comms/environment.js";
import { CommManager } from "./comms/manager.js";
import { KernelWidgets } from "./comms/widget-host.js";
import { Displayer } from "./display/display.js";
import { mimeBundle } from "./display/mime.js";
import { metadataOf } from "./display/picture.js";
import { ProgressBars } from "./display/progress.js";
import { Cell, currentWork, type Work } from "./execution/cell.js";
import { type CellEnd, CellRuns } from "./execution/cell-runs.js";
import { watchChildren } from "./execution/children.js";
import { currentContext, resetContext, runInContext } from "./execution/context.js";
import { Evaluator } from "./execution/evaluator.js";
import { History, historyFolder } from "./execution/history.js";
import { askReader } from "./execution/input.js";
import { Introspection } from "./execution/introspection.js";
import { protectOnnxRuntime } from "./execution/native-sections.js";
import { CellQueue } from "./execution/queue.js";
import { describeFailure, renderError } from "./execution/traceback.js";
import { kernelInfo } from "./kernel-info.js";
import { builtinMagics } from "./magics/builtin/index.js";
import { engineMagics } from "./magics/engine/index.js";
import { offeredStrings } from "./magics/engine/strings.js";
import { Magics } from "./magics/registry.js";
import type { Connection } from "./protocol/connection.js";
import { KeyboardInterrupt } from "./protocol/keyboard-interrupt.js";
import type { Attachments, Header, Json, Message } from "./protocol/message.js";
import { Transport } from "./protocol/transport.js";
import { answerTo, type RequestServices } from "./requests.js";

/** How long a cell may take to end by itself after its signal is aborted. */
const GENTLE_MS = 100;

/** The messages that `%%capture` keeps from the notebook. */
const CAPTURED: ReadonlySet<string> = new Set(["display_data", "update_display_data", "clear_output"]);

/** The kernel: it answers the requests of front ends, one cell at a time. */
export class Kernel {
  readonly info: Json = kernelInfo();
  readonly magics: Magics = new Magics();
  readonly comms: CommManager = new CommManager((...message) => this.publish(...message));
  readonly displayer: Displayer = new Displayer((type, content) => this.publish(type, content));
  readonly widgets: KernelWidgets = new KernelWidgets(this.comms, {
    bind: (callback) => this.#bind(callback),
    capture: (take, run) => this.#capture(take, run),
    display: (value) => this.displayer.display(value),
    bundle: mimeBundle,
    describe: (error) => describeFailure({ kind: "thrown", error }, "", this.#evaluator.compiler.sources),
  });
  readonly #history = new History(historyFolder(), (sentence) => writeSync(2, `${sentence}\n`));
  readonly #transport: Transport;
  readonly #evaluator: Evaluator;
  readonly #requests: RequestServices;
  readonly #queue: CellQueue;
  readonly #runs: CellRuns;
  readonly #progress = new WeakMap<object, ProgressBars>();
  /** Aborted and renewed at each interrupt: for work that no cell runs, such as a widget's callback. */
  #background = new AbortController();
  #lastCell: Work | undefined;
  /** The cell that the latest interrupt was meant for. */
  #interrupted: Cell | undefined;
  #count = 0;

  /**
   * @param folder the notebook's folder
   * @param exit ends the process
   */
  constructor(
    connection: Connection,
    folder: string,
    private readonly exit: (code: number) => never,
  ) {
    this.#transport = new Transport(connection, this.info, {
      request: (channel, message) => this.#receive(channel, message),
      interrupt: () => this.interrupt(),
      terminated: () => this.#terminated(),
      exhausted: () => this.#exhaust(),
      collected: (what, lasting) => this.#endForMemory(what, lasting),
      shutdown: () => this.stop(),
      failed: (error) => {
        writeSync(2, `The kernel cannot be reached and ends: ${error.message}\n`);
        this.exit(1);
      },
    });
    watchChildren((pid, runs) => this.#transport.child(pid, runs));
    protectOnnxRuntime((section) => this.#transport.protect(section));
    this.#evaluator = new Evaluator(folder, (section) => this.#transport.protect(section));
    const introspection = new Introspection(this.#evaluator, this.magics, (before) => {
      return offeredStrings(before, { session: this.magics.session, variables: this.#evaluator.variables });
    });
    const { info, comms } = this;
    this.#requests = { info, connection, introspection, history: this.#history, comms };
    this.#runs = new CellRuns(this.#evaluator, this.magics, this.displayer);
    this.#queue = new CellQueue({
      start: (cell, done) => this.#start(cell, done),
      abort: (cell) => this.#abort(cell),
      afterArrived: (callback) => this.#transport.afterArrived(callback),
    });
    this.magics.register(...builtinMagics, ...engineMagics);
  }

  /** The signal of the cell that runs, or of the callback that runs beside it. */
  signal(): AbortSignal {
    const cell = currentWork()?.cell;
    if (cell && cell === this.#queue.running) return cell.abort.signal;
    if (!currentContext() && this.#queue.running) return this.#queue.running.abort.signal;
    return this.#background.signal;
  }

  /** Draws one bar for each kind of task of a cell. */
  progress(progress: Progress): void {
    const work = currentWork();
    if (!work || work.quiet) return;
    let bars = this.#progress.get(work);
    if (!bars) {
      bars = new ProgressBars({
        replaceable: () => this.displayer.replaceable(),
        widgets: this.widgets,
        stop: () => work.cell && this.#stopCell(work.cell),
      });
      this.#progress.set(work, bars);
    }
    bars.update(progress);
  }

  /** Asks the reader for a line; null where the front end cannot ask, or where no cell is running that could. */
  ask(prompt: string, password = false): string | null {
    const frontEnd = {
      ask: (cell: Cell, content: object): Header => {
        return this.#transport.send("stdin", cell.request.identities, "input_request", cell.parent, content);
      },
      waitForInput: (): Message => this.#transport.waitForInput(),
    };
    // A front end listens for the questions of the cell that runs; to those of a timer or a widget nobody would answer.
    const { running } = this.#queue;
    const asking = currentWork()?.cell ?? running;
    return askReader(frontEnd, asking === running ? running : undefined, prompt, password);
  }

  /** Publishes a message on behalf of the work that runs now. */
  publish(type: string, content: object, attachments?: Attachments): void {
    const work = this.#work();
    const capture = CAPTURED.has(type) ? captureOf(work) : undefined;
    const parent = work?.parent ?? {};
    if (capture) capture(type, content as Json);
    else this.#transport.send("iopub", [type], type, parent, content, attachments);
  }

  /** Sends text to the cell that wrote it; false before the first cell. */
  write(name: "stdout" | "stderr", text: string): boolean {
    const work = this.#work();
    if (!work) return false;
    const capture = captureOf(work);
    if (capture) capture("stream", { name, text });
    else this.#transport.stream({ parent: JSON.stringify(work.parent), name, text });
    return true;
  }

  /** Shows an error that nobody caught. */
  report(error: unknown): void {
    if (error instanceof KeyboardInterrupt) return;
    const lines =
      error instanceof Error ? renderError(error, this.#evaluator.compiler.sources) : [inspect(error)];
    process.stderr.write(`Uncaught ${lines.join("\n")}\n`);
  }

  /** What the code that runs now belongs to; where that is unknown, the cell that runs, or the last. */
  #work(): Work | undefined {
    return currentWork() ?? this.#queue.running ?? this.#lastCell;
  }

  #receive(channel: "shell" | "control", message: Message): void {
    resetContext();
    if (message.header.msg_type === "execute_request") this.#enqueue(message);
    else runInContext({ parent: message.header, request: message }, () => this.#handle(channel, message));
  }

  #enqueue(message: Message): void {
    const { code, silent = false, store_history = true, stop_on_error = true } = message.content;
    const counts = silent !== true && store_history === true;
    this.#queue.add(new Cell(message, String(code ?? ""), silent === true, counts, stop_on_error !== false));
  }

  #handle(channel: "shell" | "control", message: Message): void {
    this.publish("status", { execution_state: "busy" });
    const answer = this.#answerOf(message);
    if (answer) {
      const type = message.header.msg_type.replace(/_request$/, "_reply");
      this.#transport.send(channel, message.identities, type, message.header, answer);
    }
    this.publish("status", { execution_state: "idle" });
  }

  /** The answer to a request; a request that fails is answered too, so that no client waits in vain. */
  #answerOf(message: Message): Json | undefined {
    try {
      return answerTo(message, this.#requests);
    } catch (error) {
      this.report(error);
      if (!message.header.msg_type.endsWith("_request")) return undefined;
      const { sources } = this.#evaluator.compiler;
      return { status: "error", ...describeFailure({ kind: "thrown", error }, "", sources) };
    }
  }

  #start(cell: Cell, done: (failed: boolean, answer: () => void) => void): void {
    resetContext();
    this.#lastCell = cell;
    if (cell.storeHistory) this.#count++;
    cell.count = this.#count;
    const { identities, header } = cell.request;
    this.#transport.running({ identities, header, count: cell.count });
    runInContext(cell, () => {
      this.publish("status", { execution_state: "busy" });
      if (!cell.silent) this.publish("execute_input", { code: cell.code, execution_count: cell.count });
      if (cell.storeHistory) this.#history.add(cell.count, cell.code);
      this.#runs.start(cell, (end) => {
        this.#transport.running(undefined);
        runInContext(cell, () => this.#publishEnd(cell, end));
        done(end.error !== undefined, () => this.#answer(cell, end.reply));
      });
    });
  }

  /** Shows what a cell has come to. */
  #publishEnd(cell: Cell, { output, error }: CellEnd): void {
    this.#progress.get(cell)?.finish();
    const text = output?.["text/plain"];
    if (text !== undefined && cell.storeHistory) this.#history.setOutput(cell.count, String(text));
    if (cell.silent) return;
    const metadata = output && metadataOf(output);
    if (output) this.publish("execute_result", { execution_count: cell.count, data: output, metadata });
    if (error) this.publish("error", error);
  }

  #answer(cell: Cell, content: Json): void {
    const reply = { ...content, execution_count: cell.count || this.#count };
    this.#transport.send("shell", cell.request.identities, "execute_reply", cell.parent, reply);
    runInContext(cell, () => this.publish("status", { execution_state: "idle" }));
  }

  /** Answers a cell that is not run. */
  #abort(cell: Cell): void {
    runInContext(cell, () => this.publish("status", { execution_state: "busy" }));
    this.#answer(cell, { status: "aborted" });
  }

  /** Ends the work that is under way, as the stop button does. */
  interrupt(): void {
    resetContext();
    this.#abortBackground();
    const cell = this.#queue.running;
    this.#interrupted = cell;
    if (cell) this.#stopCell(cell);
  }

  /** Asks a cell to end, and ends it soon after. */
  #stopCell(cell: Cell): void {
    cell.abort.abort(new KeyboardInterrupt());
    setTimeout(() => this.#runs.interrupt(cell), GENTLE_MS);
  }

  /** Comes after `interrupt`; a cell that has started in between is not meant. */
  #terminated(): void {
    resetContext();
    if (this.#interrupted) this.#runs.interrupt(this.#interrupted);
    this.#queue.advance();
  }

  /** The memory is nearly used up: an interrupt comes, and then `#endForMemory`. */
  #exhaust(): void {
    resetContext();
    const { running } = this.#queue;
    if (running) running.exhausted = true;
  }

  /**
   * Ends the cell that has used up the memory; where its variables hold what it has taken, the kernel too, which
   * Jupyter then starts afresh.
   */
  #endForMemory(what: string, lasting: boolean): void {
    resetContext();
    const cell = this.#queue.running;
    const sentence = `The cell was stopped: ${what} were in use. ${
      lasting
        ? "They are still held, by its variables or by work that goes on, so the kernel ends. A restart begins without variables."
        : "What it had taken has been given back, and all variables are kept."
    }`;
    if (cell) this.#runs.endForMemory(cell, sentence);
    else if (lasting) this.write("stderr", `${sentence}\n`);
    if (lasting) this.#transport.afterArrived(() => this.stop(1));
    this.#queue.advance();
  }

  #abortBackground(): void {
    this.#background.abort(new KeyboardInterrupt());
    this.#background = new AbortController();
  }

  /** Ends the kernel: what has been published is sent first. */
  stop(code = 0): void {
    this.#queue.running?.abort.abort(new KeyboardInterrupt());
    this.#evaluator.close();
    this.#transport.close(() => this.exit(code));
  }

  /** Runs a function whose output is not the notebook's. */
  #capture<T>(take: TakeOutput, run: () => T): T {
    const work: Work = { ...contextOf(this.#work()!), quiet: currentWork()?.quiet === true, capture: take };
    const result = runInContext(work, run);
    const finish = (): void => runInContext(work, () => this.#progress.get(work)?.finish());
    if (result instanceof Promise) result.then(finish, finish);
    else finish();
    return result;
  }

  /** Binds a callback to the code that registers it: what it prints goes there, and so do its errors. */
  #bind<A extends unknown[]>(callback: (...args: A) => unknown): (...args: A) => void {
    const work = this.#work();
    const context: Work | undefined = work && { ...contextOf(work), quiet: true };
    return (...args) =>
      runInContext(context, () => {
        try {
          const result = callback(...args);
          if (result instanceof Promise) result.catch((error) => this.report(error));
        } catch (error) {
          this.report(error);
        }
      });
  }
}

/** What code belongs to that is started by this work, and may outlive it. */
function contextOf(work: Work): Work {
  const { parent, request, cell, capture } = work;
  // The capture of a cell, as of `%%capture`, ends with the cell.
  return { parent, request, ...(cell && { cell }), ...(work !== cell && capture && { capture }) };
}

/** What takes the output of the work in the notebook's place. */
function captureOf(work: Work | undefined): TakeOutput | undefined {
  return work?.capture ?? work?.cell?.capture;
}
