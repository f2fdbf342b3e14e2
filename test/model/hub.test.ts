import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { readSafetensors, writeSafetensors } from "../../src/array/index.js";
import { loadModel } from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const TOKEN = "hf_secret";
const LARGE = 20_000;

interface Visit {
  readonly host: string;
  readonly path: string;
  readonly range?: string | undefined;
  readonly authorization?: string | undefined;
}

/** Two servers that behave as the hub does: one with the interface, and one that large files are sent from. */
class Hub {
  readonly visits: Visit[] = [];
  readonly files = new Map<string, Buffer>();
  /** How a request is answered instead, once. */
  readonly faults: ((request: IncomingMessage, response: ServerResponse) => boolean)[] = [];
  private readonly servers: Server[] = [];
  url = "";
  storage = "";

  async start(): Promise<void> {
    this.url = await this.listen("hub", (request, response) => this.answer(request, response));
    this.storage = await this.listen("storage", (request, response) => this.send(request, response));
  }

  stop(): void {
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
  }

  private async listen(
    host: string,
    answer: (request: IncomingMessage, response: ServerResponse) => unknown,
  ): Promise<string> {
    const server = createServer((request, response) => {
      const { range, authorization } = request.headers;
      this.visits.push({ host, path: request.url!, range, authorization });
      const fault = this.faults.findIndex((one) => one(request, response));
      if (fault >= 0) this.faults.splice(fault, 1);
      else answer(request, response);
    });
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  private answer(request: IncomingMessage, response: ServerResponse): unknown {
    const path = new URL(request.url!, this.url).pathname;
    const json = (value: unknown): void => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(value));
    };
    if (/^\/api\/models\/owner\/name\/revision\/(main|v1|[0-9a-f]{40})$/.test(path))
      return json({ id: "owner/name", sha: COMMIT });
    if (path === `/api/models/owner/name/tree/${COMMIT}`)
      return json(
        [...this.files].map(([name, content]) => ({
          type: "file",
          path: name,
          oid: gitHash(content),
          size: content.length,
          ...(content.length > LARGE
            ? { lfs: { oid: sha256(content), size: content.length, pointerSize: 130 } }
            : {}),
        })),
      );
    const file = decodeURIComponent(path.slice(`/owner/name/resolve/${COMMIT}/`.length));
    const content = this.files.get(file);
    if (!path.startsWith(`/owner/name/resolve/${COMMIT}/`) || !content) {
      response.statusCode = 404;
      response.setHeader("x-error-code", path.includes("/revision/") ? "RevisionNotFound" : "EntryNotFound");
      return response.end();
    }
    if (content.length <= LARGE) return this.send(request, response, content);
    response.statusCode = 302;
    response.setHeader("location", `${this.storage}/${file}?signed=1`);
    response.end();
  }

  private send(request: IncomingMessage, response: ServerResponse, given?: Buffer): void {
    const content = given ?? this.files.get(new URL(request.url!, this.storage).pathname.slice(1))!;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.setHeader("etag", `"${sha256(content)}"`);
    if (request.headers.range) {
      response.statusCode = 206;
      response.setHeader("content-range", `bytes ${start}-${content.length - 1}/${content.length}`);
    }
    response.setHeader("content-length", content.length - start);
    response.end(content.subarray(start));
  }
}

const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
const gitHash = (content: Buffer): string =>
  createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");

describe("models of the hub", () => {
  const scratch = scratchFolder();
  const tokens = [[1, 2, 3]];
  const kept = ["HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"];
  let environment: Record<string, string | undefined>;
  let hub: Hub;
  const repository = (...parts: string[]): string => scratch("hub", "models--owner--name", ...parts);

  beforeEach(async () => {
    environment = Object.fromEntries(kept.map((name) => [name, process.env[name]]));
    for (const name of kept) delete process.env[name];
    hub = new Hub();
    await hub.start();
    process.env.HF_HOME = scratch();
    process.env.HF_ENDPOINT = hub.url;
    for (const name of ["config.json", "model.safetensors"])
      hub.files.set(name, readFileSync(fixture("models", "gpt2", name)));
    hub.files.set("tokenizer.json", readFileSync(fixture("tokenizers", "byte-bpe.json")));
    hub.files.set("README.md", Buffer.from("not needed"));
    hub.files.set("pytorch_model.bin", Buffer.alloc(50_000));
  });
  afterEach(() => {
    hub.stop();
    for (const [name, value] of Object.entries(environment))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });

  it("are loaded with the files that they need, into the cache of all the hub's clients", async () => {
    const seen: number[] = [];
    const model = await loadModel("owner/name", { onProgress: ({ done }) => void seen.push(done) });
    const expected = await (await loadModel(fixture("models", "gpt2"))).forward(tokens);
    assert.deepEqual(await model.forward(tokens), expected);
    assert.equal(model.name, "owner/name");
    assert.ok(model.readsText);
    assert.deepEqual(readdirSync(repository("snapshots", COMMIT)), [
      "config.json",
      "model.safetensors",
      "tokenizer.json",
    ]);
    const link = repository("snapshots", COMMIT, "model.safetensors");
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.equal(readlinkSync(link), join("..", "..", "blobs", sha256(hub.files.get("model.safetensors")!)));
    assert.equal(readFileSync(repository("refs", "main"), "utf8"), COMMIT);
    const total = ["config.json", "model.safetensors", "tokenizer.json"].reduce(
      (sum, name) => sum + hub.files.get(name)!.length,
      0,
    );
    assert.equal(seen.at(-1), total);
    assert.ok(seen.every((done, i) => i === 0 || done >= seen[i - 1]!));
  });

  it("are downloaded once: later loads fetch nothing but the list, and none without a network", async () => {
    await loadModel("owner/name");
    hub.visits.length = 0;
    await loadModel("owner/name");
    assert.ok(hub.visits.every(({ path }) => path.startsWith("/api/")));
    hub.visits.length = 0;
    process.env.HF_HUB_OFFLINE = "1";
    await loadModel("owner/name");
    await loadModel("owner/name", { revision: COMMIT });
    assert.equal(hub.visits.length, 0);
    delete process.env.HF_HUB_OFFLINE;
    hub.stop();
    await loadModel("owner/name");
  });

  it("without a network are missed with the files that lack and the places that were looked at", async () => {
    process.env.HF_HUB_OFFLINE = "1";
    const missed = async (...words: string[]): Promise<void> => {
      await assert.rejects(loadModel("owner/name"), (error: Error) => {
        for (const word of [...words, "owner/name", repository("snapshots")])
          assert.ok(error.message.includes(word), `"${error.message}" lacks "${word}"`);
        return true;
      });
    };
    await missed("HF_HUB_OFFLINE", "config.json", "weights");
    await assert.rejects(loadModel("gpt2"), /"openai-community\/gpt2" \(main\) is not here/);
    mkdirSync(repository("snapshots", COMMIT), { recursive: true });
    mkdirSync(repository("refs"), { recursive: true });
    writeFileSync(repository("refs", "main"), COMMIT);
    writeFileSync(repository("snapshots", COMMIT, "config.json"), "{}");
    await missed("the weights");
    const index = { weight_map: { a: "model-1.safetensors", b: "model-2.safetensors" } };
    writeFileSync(repository("snapshots", COMMIT, "model.safetensors.index.json"), JSON.stringify(index));
    await missed("model-1.safetensors, model-2.safetensors");
    delete process.env.HF_HUB_OFFLINE;
    hub.stop();
    await missed("cannot be reached", "ECONNREFUSED");
  });

  it("are read with the user's token, which goes to the hub and to nobody that it sends to", async () => {
    process.env.HF_TOKEN = TOKEN;
    await loadModel("owner/name");
    const [own, other] = ["hub", "storage"].map((host) => hub.visits.filter((visit) => visit.host === host));
    assert.ok(own!.length > 3 && own!.every(({ authorization }) => authorization === `Bearer ${TOKEN}`));
    assert.ok(other!.length > 0 && other!.every(({ authorization }) => authorization === undefined));
  });

  it("go on after interruptions where they stopped", async () => {
    const content = hub.files.get("model.safetensors")!;
    for (const cut of [10_000, 20_000])
      hub.faults.push((request, response) => {
        if (!request.url!.includes("signed")) return false;
        const start = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
        response.statusCode = start > 0 ? 206 : 200;
        if (start > 0)
          response.setHeader("content-range", `bytes ${start}-${content.length - 1}/${content.length}`);
        response.setHeader("content-length", content.length - start);
        response.write(content.subarray(start, start + cut), () => setTimeout(() => response.destroy(), 20));
        return true;
      });
    await loadModel("owner/name");
    const ranges = hub.visits.filter(({ host }) => host === "storage").map(({ range }) => range);
    assert.deepEqual(ranges, [undefined, "bytes=10000-", "bytes=30000-"]);
  });

  it("that an earlier process left half-way are continued", async () => {
    const content = hub.files.get("model.safetensors")!;
    mkdirSync(repository("blobs"), { recursive: true });
    writeFileSync(repository("blobs", `${sha256(content)}.incomplete`), content.subarray(0, 12_345));
    await loadModel("owner/name");
    assert.deepEqual(
      hub.visits.filter(({ host }) => host === "storage").map(({ range }) => range),
      ["bytes=12345-"],
    );
    assert.ok(!existsSync(repository("blobs", `${sha256(content)}.incomplete`)));
  });

  it("that came damaged are fetched anew, and never taken for whole", async () => {
    const content = hub.files.get("model.safetensors")!;
    const blob = repository("blobs", sha256(content));
    mkdirSync(repository("blobs"), { recursive: true });
    writeFileSync(`${blob}.incomplete`, Buffer.alloc(5000, 7));
    await loadModel("owner/name");
    assert.equal(sha256(readFileSync(blob)), sha256(content));

    rmSync(scratch("hub"), { recursive: true });
    const wrong = Buffer.from(content);
    wrong[wrong.length - 1]! ^= 1;
    for (let i = 0; i < 2; i++)
      hub.faults.push((request, response) => {
        if (!request.url!.includes("signed")) return false;
        response.end(wrong);
        return true;
      });
    await assert.rejects(loadModel("owner/name"), /came twice with other content/);
    assert.ok(!existsSync(blob));
    assert.ok(!existsSync(repository("refs", "main")));
    assert.ok(!existsSync(repository("snapshots", COMMIT, "model.safetensors")));
  });

  it("are not taken from a server that sends more than a file has", async () => {
    hub.faults.push((request, response) => {
      if (!request.url!.includes("signed")) return false;
      response.end(Buffer.alloc(2_000_000));
      return true;
    });
    await assert.rejects(loadModel("owner/name"), /More came of "model.safetensors"/);
  });

  it("wait where the hub is busy, as long as it asks for", async () => {
    for (const status of [429, 503])
      hub.faults.push((request, response) => {
        if (!request.url!.includes("config.json")) return false;
        response.statusCode = status;
        response.setHeader("retry-after", "0");
        response.end();
        return true;
      });
    await loadModel("owner/name");
    hub.faults.push((_, response) => {
      response.statusCode = 429;
      response.setHeader("retry-after", "86400");
      response.end();
      return true;
    });
    await assert.rejects(loadModel("owner/name"), /busy.*86400/);
  });

  for (const [status, code, token, words] of [
    [401, undefined, false, /no public model "owner\/name".*HF_TOKEN/],
    [401, undefined, true, /does not accept the token/],
    [403, "GatedRepo", false, /accept its conditions.*set HF_TOKEN/],
    [403, "GatedRepo", true, /does not let your token read/],
    [404, "RepoNotFound", false, /no model "owner\/name"/],
  ] as const)
    it(`are refused in sentences: ${status} ${token ? "with" : "without"} a token`, async () => {
      if (token) process.env.HF_TOKEN = TOKEN;
      hub.faults.push((_, response) => {
        response.statusCode = status;
        if (code) response.setHeader("x-error-code", code);
        response.end();
        return true;
      });
      await assert.rejects(loadModel("owner/name"), words);
    });

  it("have revisions", async () => {
    await loadModel("owner/name", { revision: "v1" });
    assert.equal(readFileSync(repository("refs", "v1"), "utf8"), COMMIT);
    await assert.rejects(loadModel("owner/name", { revision: "v2" }), /no revision "v2"/);
    await assert.rejects(loadModel("owner/name", { revision: "../../x" }), /is no revision/);
  });

  it("stop when they are told to, and keep what came", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const content = hub.files.get("model.safetensors")!;
    hub.faults.push((request, response) => {
      if (!request.url!.includes("signed")) return false;
      response.setHeader("content-length", content.length);
      response.write(content.subarray(0, 30_000), () => setTimeout(() => stop.abort(reason), 50));
      return true;
    });
    await assert.rejects(loadModel("owner/name", { signal: stop.signal }), (error) => error === reason);
    assert.equal(statSync(repository("blobs", `${sha256(content)}.incomplete`)).size, 30_000);
    await loadModel("owner/name");
    assert.equal(hub.visits.at(-1)!.range, "bytes=30000-");
  });

  it("are downloaded once by loads at the same time, and in spite of a process that ended half-way", async () => {
    const content = hub.files.get("model.safetensors")!;
    mkdirSync(repository("blobs"), { recursive: true });
    writeFileSync(repository("blobs", `${sha256(content)}.lock`), "2147483646");
    const models = await Promise.all([1, 2, 3].map(() => loadModel("owner/name")));
    const [first, ...others] = await Promise.all(models.map((model) => model.forward(tokens)));
    for (const logits of others) assert.deepEqual(logits, first);
    assert.equal(hub.visits.filter(({ host }) => host === "storage").length, 1);
    assert.ok(readdirSync(repository("blobs")).every((name) => /^[0-9a-f]+$/.test(name)));
  });

  it("in shards come with the shards that their index names, and with nothing outside of their folder", async () => {
    const weights = [...(await readSafetensors(fixture("models", "gpt2", "model.safetensors")))];
    const map: Record<string, string> = {};
    hub.files.delete("model.safetensors");
    for (const [i, part] of [weights.slice(0, 9), weights.slice(9)].entries()) {
      const name = `model-0000${i + 1}-of-00002.safetensors`;
      await writeSafetensors(scratch(name), new Map(part));
      hub.files.set(name, readFileSync(scratch(name)));
      for (const [key] of part) map[key] = name;
    }
    const index = (weight_map: object): Buffer => Buffer.from(JSON.stringify({ weight_map }));
    hub.files.set("model.safetensors.index.json", index(map));
    await loadModel("owner/name");
    assert.equal(readdirSync(repository("snapshots", COMMIT)).length, 5);
    rmSync(scratch("hub"), { recursive: true });
    hub.files.set("model.safetensors.index.json", index({ a: "../../../x.safetensors" }));
    await assert.rejects(loadModel("owner/name"), /a file in its own folder was expected/);
  });

  it("that lack a configuration or weights are no models", async () => {
    hub.files.delete("config.json");
    await assert.rejects(loadModel("owner/name"), /has no config\.json/);
    hub.files.delete("model.safetensors");
    hub.files.delete("pytorch_model.bin");
    await assert.rejects(loadModel("owner/name"), /no config\.json and no weights/);
  });
});
