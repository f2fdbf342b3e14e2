/** The Python libraries that the engine is compared with: one process that keeps them loaded and times them on request. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { packageFolder } from "../../src/array/index.js";
import { countChild, forgetChild } from "./machine.js";
import type { Contestant } from "./race.js";

/** What is asked of the Python process; see `peers.py` for what each task takes. */
export interface PeerRequest {
  readonly task: string;
  readonly [argument: string]: unknown;
}

/** What it answers. */
export interface PeerAnswer {
  /** The time that the work took, as Python measured it. */
  readonly seconds: number;
  readonly result?: unknown;
}

/** The programs that time Python libraries, and the environment that each runs in. */
const programs = {
  peers: "v",
  circuit_peers: "vac",
} as const;

/** How Python is started with the peers in it; undefined where they are not. */
export function peerCommand(
  program: keyof typeof programs = "peers",
): { command: string; arguments: string[]; environment: NodeJS.ProcessEnv } | undefined {
  const helpers = join(packageFolder(), "..", "shared", "perf");
  const { PEERS_DIR } = process.env;
  if (!PEERS_DIR || !existsSync(join(helpers, "common.py"))) return undefined;
  const command = join(PEERS_DIR, programs[program], "bin", "python");
  if (!existsSync(command)) throw new Error(`PEERS_DIR says ${PEERS_DIR}, but there is no ${command}.`);
  return {
    command,
    arguments: [join(packageFolder(), "bench", "lib", `${program}.py`), helpers],
    environment: {
      ...process.env,
      THREADS: String(availableParallelism()),
      PYTHONDONTWRITEBYTECODE: "1",
      TQDM_DISABLE: "1",
    },
  };
}

/** A running Python process. */
export class Peers {
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;

  private constructor(private readonly child: ChildProcess) {
    this.reader = createInterface({ input: child.stdout! });
    this.lines = this.reader[Symbol.asyncIterator]();
    countChild(child.pid!);
  }

  /** Starts the peers; undefined, and a line that says so, where there are none. */
  static start(program: keyof typeof programs = "peers"): Peers | undefined {
    const peers = peerCommand(program);
    if (peers) {
      const stdio = ["pipe", "pipe", "inherit"] as const;
      return new Peers(spawn(peers.command, peers.arguments, { stdio: [...stdio], env: peers.environment }));
    }
    console.log(
      "Without peers: they are timed where ../shared/perf exists and PEERS_DIR names their Python environments.",
    );
    return undefined;
  }

  /** Asks for one thing; one request at a time. */
  async ask(request: PeerRequest): Promise<PeerAnswer> {
    this.child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`The Python process ended during "${request.task}".`);
    const answer = JSON.parse(value) as PeerAnswer & { error?: string };
    if (answer.error !== undefined) throw new Error(`"${request.task}" failed in Python: ${answer.error}`);
    return answer;
  }

  /** A contestant that does what is asked. */
  contestant(
    name: string,
    request: PeerRequest,
    options: Pick<Contestant, "against" | "wanted" | "slow"> = {},
  ): Contestant {
    return { name, once: async () => (await this.ask(request)).seconds, ...options };
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    forgetChild(this.child.pid!);
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.stdin!.end();
    this.reader.close();
    await ended;
  }
}
