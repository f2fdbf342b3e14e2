/** A Jupyter client of any kernel, that waits for replies and times them. */

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dealer, Subscriber } from "zeromq";
import { type Json, type Message, newHeader, outgoing } from "../../kernel/protocol/message.js";
import { decode, encode } from "../../kernel/protocol/wire.js";
import { countChild, forgetChild } from "./machine.js";

/** How a kernel is started, as in a kernelspec: `{connection_file}` stands for the file. */
export interface KernelCommand {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** A kernel that runs, with its only client. */
export class BenchKernel {
  readonly #session = randomUUID();
  readonly #shell = new Dealer();
  readonly #iopub = new Subscriber();
  readonly #ended: Promise<unknown>;
  readonly #idle = new Set<string>();
  #changed: () => void = () => {};

  private constructor(
    private readonly child: ChildProcess,
    private readonly key: string,
    private readonly folder: string,
  ) {
    this.#ended = once(child, "exit");
    if (child.pid !== undefined) countChild(child.pid);
  }

  /** Starts a kernel; it is ready when its first request is answered. */
  static async start({ argv, env }: KernelCommand): Promise<BenchKernel> {
    const folder = mkdtempSync(join(tmpdir(), "tslens-bench-"));
    const names = ["shell_port", "control_port", "iopub_port", "stdin_port", "hb_port"];
    const ports = await freePorts(names.length);
    const key = randomUUID();
    const connection: Json = {
      transport: "tcp",
      ip: "127.0.0.1",
      key,
      signature_scheme: "hmac-sha256",
      kernel_name: "",
      ...Object.fromEntries(names.map((name, i) => [name, ports[i]])),
    };
    const file = join(folder, "connection.json");
    writeFileSync(file, JSON.stringify(connection));
    const [command, ...args] = argv.map((word) => word.replace("{connection_file}", file));
    const child = spawn(command!, args, {
      cwd: folder,
      env: { ...process.env, ...env, TSLENS_HISTORY: "off" },
      stdio: "ignore",
    });
    const kernel = new BenchKernel(child, key, folder);
    kernel.#shell.connect(`tcp://127.0.0.1:${ports[0]}`);
    kernel.#iopub.connect(`tcp://127.0.0.1:${ports[2]}`);
    kernel.#iopub.subscribe();
    void kernel.#listen().catch(() => {});
    return kernel;
  }

  async #listen(): Promise<void> {
    for await (const frames of this.#iopub) {
      const { header, parent, content } = decode(this.key, frames);
      if (header.msg_type !== "status" || content.execution_state !== "idle" || !parent.msg_id) continue;
      this.#idle.add(parent.msg_id);
      this.#changed();
    }
  }

  /**
   * Sends a request and waits for its reply.
   *
   * @throws Error where the kernel ends instead
   */
  async request(type: string, content: Json): Promise<Message> {
    const header = newHeader(type, this.#session);
    await this.#shell.send(encode(this.key, outgoing([], header, {}, content)));
    for (;;) {
      const frames = await Promise.race([this.#shell.receive(), this.#ended]);
      if (this.child.exitCode !== null) throw new Error(`The kernel ended with ${this.child.exitCode}.`);
      const reply = decode(this.key, frames as Uint8Array[]);
      if (reply.parent.msg_id === header.msg_id) return reply;
    }
  }

  /** Runs a cell to its reply. */
  async run(code: string): Promise<Message> {
    const reply = await this.request("execute_request", { code, silent: false, store_history: true });
    if (reply.content.status !== "ok") throw new Error(`The cell ${code} failed: ${reply.content.evalue}`);
    return reply;
  }

  /** Runs a cell until its reply has come and the kernel is idle. */
  async runToIdle(code: string): Promise<void> {
    const { parent } = await this.run(code);
    while (!this.#idle.has(parent.msg_id!)) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Ends the kernel. */
  async stop(): Promise<void> {
    if (this.child.pid !== undefined) forgetChild(this.child.pid);
    this.#shell.close();
    this.#iopub.close();
    this.child.kill("SIGKILL");
    await this.#ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
