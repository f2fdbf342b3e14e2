/**
 * The worker thread that owns the sockets: it answers heartbeat and control while the main thread runs a cell, and
 * shows a cell's output while the cell does not yield.
 */
import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { Reply, Router, XPublisher } from "zeromq";
import { endpoint } from "./connection.js";
import { watchFatalErrors } from "./fatal-report.js";
import { InterruptAsker } from "./interrupt-flag.js";
import { MemoryWatch } from "./memory-watch.js";
import { type Message, newHeader, outgoing } from "./message.js";
import { SendQueue } from "./send-queue.js";
import { StreamBuffer } from "./stream-buffer.js";
import { terminateMainThread } from "./terminate.js";
import type { FromThread, RunningCell, ThreadData, ToThread } from "./thread-messages.js";
import { decode, encode } from "./wire.js";

const { connection, session, kernelInfo, interruptMemory, inputPort, heapLimit, fatalReport } =
  workerData as ThreadData;
const main = parentPort!;
const tell = (message: FromThread, transfer?: ArrayBuffer[]): void => main.postMessage(message, transfer);

/** How long a cell may take to notice an interrupt by itself: longer than one short run of the engine. */
const GENTLE_MS = 200;
const POLL_MS = 20;
/** How long the main thread may take to end the process by itself. */
const SHUTDOWN_MS = 500;
/** How long a process that a cell has started may take to end when it is told to. */
const CHILD_MS = 100;
const PARENT_POLL_MS = 1000;

const shell = new Router({ linger: 200 });
const control = new Router({ linger: 200 });
const stdin = new Router({ linger: 200 });
// A publisher drops what exceeds its high-water mark, which counts only for later binds.
const iopub = new XPublisher({ linger: 200, sendHighWaterMark: 0, verbosity: "allSubs" });
const heartbeat = new Reply({ linger: 0 });
const sockets = { shell, control, iopub, stdin, heartbeat };
const queues = {
  shell: new SendQueue(shell),
  control: new SendQueue(control),
  iopub: new SendQueue(iopub),
  stdin: new SendQueue(stdin),
};

const streams = new StreamBuffer(({ parent, name, text }) => {
  const parts = [JSON.stringify(newHeader("stream", session)), parent, "{}", JSON.stringify({ name, text })];
  queues.iopub.send(encode(connection.key, { identities: ["stream"], parts, buffers: [] }));
});

/** A note for whoever started the kernel; in a worker thread `process.stderr` goes through the main thread. */
function note(text: string): void {
  try {
    writeSync(2, `tslens: ${text}\n`);
  } catch {
    // Standard error is closed: nobody reads notes.
  }
}

async function listen(socket: Router, name: string, receive: (message: Message) => void): Promise<void> {
  for await (const frames of socket) {
    let message: Message;
    try {
      message = decode(connection.key, frames);
    } catch (error) {
      note(`dropped a message on ${name}: ${(error as Error).message}`);
      continue;
    }
    receive(message);
  }
}

function publish(type: string, parent: Message["header"] | object, content: object): void {
  streams.flush();
  queues.iopub.send(encode(connection.key, outgoing([type], newHeader(type, session), parent, content)));
}

function forward(channel: "shell" | "control", message: Message): void {
  tell({ kind: "request", channel, message });
}

/** Control requests that are answered while a cell spins; others go to the main thread. */
const controls: Record<string, (message: Message, reply: (body: object) => void) => void> = {
  kernel_info_request: (_, reply) => reply(kernelInfo),
  debug_request: (message, reply) => reply(refuseDebugging(message)),
  interrupt_request: (_, reply) => {
    void interrupt();
    reply({ status: "ok" });
  },
  shutdown_request: ({ header, content }, reply) => {
    const body = { status: "ok", restart: content.restart === true };
    reply(body);
    publish("shutdown_reply", header, body);
    void shutDown(body.restart);
  },
};

function onControl(message: Message): void {
  const { header, identities } = message;
  const type = header.msg_type;
  const answer = Object.hasOwn(controls, type) ? controls[type] : undefined;
  if (!answer) {
    forward("control", message);
    return;
  }
  const replyHeader = newHeader(type.replace(/_request$/, "_reply"), session);
  publish("status", header, { execution_state: "busy" });
  answer(message, (body) =>
    queues.control.send(encode(connection.key, outgoing(identities, replyHeader, header, body))),
  );
  publish("status", header, { execution_state: "idle" });
}

/** The answer of a kernel without a debugger, in the words of the Debug Adapter Protocol. */
function refuseDebugging({ content: { seq, command } }: Message): object {
  return {
    type: "response",
    request_seq: seq ?? 0,
    seq: 0,
    success: false,
    command: command ?? "",
    message: "The tslens kernel has no debugger; kernel_info says so.",
    body: {},
  };
}

const asker = new InterruptAsker(interruptMemory);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @param gentle how long a cell may take to notice it by itself, in milliseconds */
async function interrupt(gentle: number = GENTLE_MS): Promise<void> {
  const first = asker.ask();
  if (first) tell({ kind: "interrupt" });
  let waited = first ? 0 : gentle;
  for (; asker.open; waited += POLL_MS) {
    // A section ends by itself, and the event loop may turn after it.
    if (asker.sectionRuns) waited = 0;
    else if (waited >= gentle && asker.claim()) {
      await terminateMainThread();
      asker.finish();
      tell({ kind: "terminated" });
      return;
    }
    await pause(POLL_MS);
  }
}

/** Ends what runs before V8 or the system ends the process without a word. */
async function endForMemory(what: string): Promise<void> {
  tell({ kind: "exhausted" });
  await interrupt(POLL_MS);
  tell({ kind: "collected", what, lasting: await memory.collect() });
}

const memory = new MemoryWatch(heapLimit, (what) => void endForMemory(what));
let cell: RunningCell | undefined;

/** Says in the cell that runs why the kernel ends: the main thread cannot any more. */
function reportFatalError(): void {
  if (!cell) return;
  const { header, identities, count } = cell;
  const evalue =
    "The kernel ends: its JavaScript engine has met a fatal error, most often for want of memory. All variables are lost.";
  const error = { ename: "OutOfMemory", evalue, traceback: [`OutOfMemory: ${evalue}`] };
  publish("error", header, error);
  const reply = outgoing(identities, newHeader("execute_reply", session), header, {
    status: "error",
    ...error,
    execution_count: count,
  });
  queues.shell.send(encode(connection.key, reply));
  publish("status", header, { execution_state: "idle" });
}

async function shutDown(restart: boolean): Promise<void> {
  tell({ kind: "shutdown", restart });
  await pause(SHUTDOWN_MS);
  // Still here: the main thread is spinning.
  await close();
  process.kill(process.pid, "SIGKILL");
}

/** The processes that cells have started and that still run. */
const children = new Set<number>();

/** Ends the processes that cells have started; one that does not listen is killed. */
async function endChildren(): Promise<void> {
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of children) {
      try {
        process.kill(pid, name);
      } catch {
        children.delete(pid); // It has ended by itself.
      }
    }
  };
  signal("SIGTERM");
  if (children.size === 0) return;
  await pause(CHILD_MS);
  signal("SIGKILL");
}

/** Sends what is left, then closes: a socket left open aborts the process at its exit. */
async function close(): Promise<void> {
  await endChildren();
  streams.flush();
  await Promise.race([Promise.all(Object.values(queues).map((queue) => queue.sent)), pause(SHUTDOWN_MS)]);
  for (const socket of Object.values(sockets)) if (!socket.closed) socket.close();
}

main.on("message", (message: ToThread) => {
  switch (message.kind) {
    case "stream":
      streams.write(message.text);
      break;
    case "send":
      // What was printed before a question or an answer stands before it.
      streams.flush();
      queues[message.channel].send(encode(connection.key, message.message));
      break;
    case "cell":
      cell = message.cell;
      memory.busy = cell !== undefined;
      break;
    case "fence":
      tell({ kind: "fence", id: message.id });
      break;
    case "child":
      if (message.runs) children.add(message.pid);
      else children.delete(message.pid);
      break;
    case "close":
      void close().then(() => tell({ kind: "closed" }));
  }
});

/** A new subscriber is greeted (protocol 5.4), so that clients know when they miss nothing. */
async function greetSubscribers(): Promise<void> {
  for await (const [frame] of iopub) {
    if (frame?.[0] !== 1) continue;
    const subscription = frame.subarray(1).toString("utf8");
    queues.iopub.send(
      encode(
        connection.key,
        outgoing([subscription], newHeader("iopub_welcome", session), {}, { subscription }),
      ),
    );
  }
}

/** Ends the kernel when the Jupyter that started it is gone: nobody could reach it any more. */
function watchParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) void shutDown(false);
  }, PARENT_POLL_MS).unref();
}

async function echoHeartbeat(): Promise<void> {
  for await (const frames of heartbeat) await heartbeat.send(frames);
}

await shell.bind(endpoint(connection, connection.shell_port));
await control.bind(endpoint(connection, connection.control_port));
await stdin.bind(endpoint(connection, connection.stdin_port));
await iopub.bind(endpoint(connection, connection.iopub_port));
await heartbeat.bind(endpoint(connection, connection.hb_port));
publish("status", {}, { execution_state: "starting" });
const closed = (): void => {};
void listen(shell, "shell", (message) => forward("shell", message)).catch(closed);
void listen(control, "control", onControl).catch(closed);
void listen(stdin, "stdin", (message) => {
  inputPort.postMessage(message);
  asker.wake();
}).catch(closed);
void greetSubscribers().catch(closed);
void echoHeartbeat().catch(closed);
watchParent();
watchFatalErrors(fatalReport, reportFatalError);
tell({ kind: "ready" });
