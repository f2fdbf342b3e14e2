import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Dealer, Request, Subscriber } from "zeromq";
import { kernelSpec } from "../../kernel/install/install.js";
import { type Channel, type Json, type Message, newHeader, outgoing } from "../../kernel/protocol/message.js";
import { decode, encode } from "../../kernel/protocol/wire.js";

/** What a request brought. */
export interface Answer {
  /** The content of the reply. */
  readonly reply: Json;
  /** What came on iopub for it, from busy to idle. */
  readonly published: readonly Message[];
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** A Jupyter client in a few lines, with the kernel as Jupyter starts it. */
export class TestClient {
  readonly session = randomUUID();
  /** Everything that came on iopub. */
  readonly published: Message[] = [];
  /** What the kernel wrote to the terminal that started it. */
  notes = "";
  readonly #replies = new Map<string, Message>();
  readonly #changed = new Set<() => void>();
  readonly #inputs: Message[] = [];
  readonly #dealers: Record<"shell" | "control" | "stdin", Dealer>;
  readonly #iopub = new Subscriber({ receiveHighWaterMark: 0 });

  private constructor(
    readonly process: ChildProcess,
    readonly connection: Json & { key: string },
    private readonly folder: string,
  ) {
    const routingId = randomUUID();
    this.#dealers = {
      shell: new Dealer({ routingId }),
      control: new Dealer(),
      stdin: new Dealer({ routingId }),
    };
  }

  /** Starts a kernel and waits until it answers. */
  static async start({
    folder,
    key = randomUUID(),
    history = "off",
    options = "",
  }: {
    folder?: string;
    key?: string;
    /** The folder of the history. */
    history?: string;
    /** Options of Node. */
    options?: string;
  } = {}): Promise<TestClient> {
    const own = mkdtempSync(join(tmpdir(), "tslens-kernel-"));
    const names = ["shell_port", "control_port", "iopub_port", "stdin_port", "hb_port"];
    const ports = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await freePort()] as const)),
    );
    const connection = { transport: "tcp", ip: "127.0.0.1", key, signature_scheme: "hmac-sha256", ...ports };
    const file = join(own, "connection.json");
    writeFileSync(file, JSON.stringify(connection));
    const { argv, env } = kernelSpec() as { argv: string[]; env: Record<string, string> };
    const [, ...args] = argv.map((word) => (word === "{connection_file}" ? file : word));
    const child = spawn(process.execPath, args, {
      cwd: folder ?? own,
      env: { ...process.env, NODE_OPTIONS: options, ...env, TSLENS_HISTORY: history },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const client = new TestClient(child, connection, own);
    for (const stream of [child.stderr, child.stdout]) {
      stream?.on("data", (text) => {
        client.notes += text;
      });
    }
    const died = once(child, "exit").then(([code]) => {
      client.close();
      throw new Error(`The kernel ended at its start, with ${code}:\n${client.notes}`);
    });
    await Promise.race([client.#connect(), died]);
    died.catch(() => {});
    return client;
  }

  /** Another client of a kernel that runs. */
  static async connect({ process, connection, folder }: TestClient): Promise<TestClient> {
    const client = new TestClient(process, connection, folder);
    await client.#connect();
    return client;
  }

  async #connect(): Promise<void> {
    for (const channel of ["shell", "control", "stdin"] as const) {
      this.#dealers[channel].connect(this.address(channel));
      void this.#receive(channel).catch(() => {});
    }
    this.#iopub.connect(this.address("iopub"));
    this.#iopub.subscribe();
    void this.#listen().catch(() => {});
    await this.until(() => this.published.some(({ header }) => header.msg_type === "iopub_welcome"));
    await this.request("kernel_info_request", {});
  }

  /** The address of a socket. */
  address(channel: Channel | "hb"): string {
    return `tcp://127.0.0.1:${String(this.connection[`${channel}_port`])}`;
  }

  async #receive(channel: "shell" | "control" | "stdin"): Promise<void> {
    for await (const frames of this.#dealers[channel]) {
      const message = decode(this.connection.key, frames);
      if (channel === "stdin") this.#inputs.push(message);
      else this.#replies.set(String(message.parent.msg_id), message);
      this.#notify();
    }
  }

  async #listen(): Promise<void> {
    for await (const frames of this.#iopub) {
      this.published.push(decode(this.connection.key, frames));
      this.#notify();
    }
  }

  #notify(): void {
    for (const changed of this.#changed) changed();
  }

  /** Resolves when the condition holds; it is asked after each message. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#changed.delete(check);
        resolve();
      };
      this.#changed.add(check);
      check();
    });
  }

  /** Sends a message; returns its id. */
  async send(
    type: string,
    content: Json,
    {
      channel = "shell",
      ...attachments
    }: { channel?: "shell" | "control"; metadata?: Json; buffers?: Uint8Array[] } = {},
  ): Promise<string> {
    const header = newHeader(type, this.session);
    await this.sendFrames(
      encode(this.connection.key, outgoing([], header, {}, content, attachments)),
      channel,
    );
    return header.msg_id;
  }

  /** Sends frames as they are. */
  async sendFrames(frames: (Uint8Array | string)[], channel: "shell" | "control" = "shell"): Promise<void> {
    await this.#dealers[channel].send(frames);
  }

  /** What came on iopub for a request. */
  publishedFor(id: string): Message[] {
    return this.published.filter(({ parent }) => parent.msg_id === id);
  }

  /** Waits for the end of a request that has been sent. */
  async answer(id: string): Promise<Answer> {
    const isIdle = ({ header, content }: Message): boolean =>
      header.msg_type === "status" && content.execution_state === "idle";
    await this.until(() => this.#replies.has(id) && this.publishedFor(id).some(isIdle));
    return { reply: this.#replies.get(id)!.content, published: this.publishedFor(id) };
  }

  /** The header of a reply. */
  replyHeader(id: string): Message["header"] {
    return this.#replies.get(id)!.header;
  }

  /** Sends a request and waits for its end. */
  async request(type: string, content: Json, channel: "shell" | "control" = "shell"): Promise<Answer> {
    return this.answer(await this.send(type, content, { channel }));
  }

  /** Sends a cell; returns its id. */
  start(code: string, options: Json = {}): Promise<string> {
    return this.send("execute_request", {
      code,
      silent: false,
      store_history: true,
      allow_stdin: false,
      ...options,
    });
  }

  /** Runs a cell to its end. */
  async run(code: string, options: Json = {}): Promise<Answer> {
    return this.answer(await this.start(code, options));
  }

  /** The text of a cell's value. */
  async valueOf(code: string): Promise<unknown> {
    const answer = await this.run(code);
    const result = answer.published.find(({ header }) => header.msg_type === "execute_result");
    return (result?.content.data as Json | undefined)?.["text/plain"] ?? answer.reply.evalue;
  }

  /** Presses the stop button. */
  interrupt(): Promise<string> {
    return this.send("interrupt_request", {}, { channel: "control" });
  }

  /** The next question that the kernel asks. */
  async question(): Promise<Message> {
    await this.until(() => this.#inputs.length > 0);
    return this.#inputs.shift()!;
  }

  /** Answers a question. */
  async reply(question: Message, value: string): Promise<void> {
    const header = newHeader("input_reply", this.session);
    const message = outgoing([], header, question.header, { status: "ok", value });
    await this.#dealers.stdin.send(encode(this.connection.key, message));
  }

  /** Whether the heartbeat answers. */
  async beat(): Promise<string> {
    const socket = new Request();
    socket.connect(this.address("hb"));
    await socket.send("beat");
    const [echo] = await socket.receive();
    socket.close();
    return String(echo);
  }

  /** Shuts the kernel down; resolves with its exit code. */
  async shutDown(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const exited = once(this.process, "exit");
      await this.send("shutdown_request", { restart: false }, { channel: "control" });
      await exited;
    }
    this.close();
    return this.process.exitCode;
  }

  /** Closes the sockets; the kernel goes on. */
  disconnect(): void {
    for (const socket of [...Object.values(this.#dealers), this.#iopub]) socket.close();
  }

  /** Closes the sockets and ends the process. */
  close(): void {
    this.disconnect();
    this.process.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The text that a cell wrote to a stream. */
export function textOf(published: readonly Message[], name: "stdout" | "stderr" = "stdout"): string {
  const texts = published.filter(
    ({ header, content }) => header.msg_type === "stream" && content.name === name,
  );
  return texts.map(({ content }) => String(content.text)).join("");
}

/** Text without the codes that colour it in a terminal. */
export const plain = stripVTControlCharacters;

/** The messages of a type. */
export function ofType(published: readonly Message[], type: string): Message[] {
  return published.filter(({ header }) => header.msg_type === type);
}

/** One kernel for all tests of a suite. */
export function kernelOfSuite(): () => TestClient {
  let client: TestClient | undefined;
  before(async () => {
    client = await TestClient.start();
  });
  after(async () => {
    await client?.shutDown();
  });
  return () => client!;
}
