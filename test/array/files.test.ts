import assert from "node:assert/strict";
import { readlink, symlink } from "node:fs/promises";
import {
  exists,
  list,
  makeFolder,
  openFile,
  readFile,
  readJsonFile,
  readRange,
  readTextFile,
  remove,
  sha256,
  sha256OfFile,
  stat,
  writeFile,
} from "../../src/array/index.js";
import { scratchFolder } from "../scratch.js";

describe("files", () => {
  const path = scratchFolder();

  it("writes text, bytes and pieces, and makes the folders above", async () => {
    await writeFile(path("a", "b", "c.txt"), "é");
    assert.equal(await readTextFile(path("a", "b", "c.txt")), "é");
    await writeFile(path("d"), [Uint8Array.of(1, 2), Uint8Array.of(3)]);
    assert.deepEqual(await readFile(path("d")), Uint8Array.of(1, 2, 3));
    assert.deepEqual(await readRange(path("d"), 1, 2), Uint8Array.of(2, 3));
    assert.deepEqual(await list(path()), ["a", "d"]);
  });

  it("leaves the old file and nothing else where writing fails half-way", async () => {
    await writeFile(path("x"), "old");
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1000);
      throw new Error("the source dried up");
    }
    await assert.rejects(writeFile(path("x"), failing()), /the source dried up/);
    assert.equal(await readTextFile(path("x")), "old");
    assert.deepEqual(await list(path()), ["x"]);
  });

  it("writes through a symbolic link and leaves the link", async () => {
    await writeFile(path("target"), "old");
    await symlink(path("target"), path("link"));
    await writeFile(path("link"), "new");
    assert.equal(await readTextFile(path("target")), "new");
    assert.equal(await readlink(path("link")), path("target"));
  });

  it("lets many writers of one file each write the whole", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => writeFile(path("x"), String(i).repeat(50_000))));
    assert.match(await readTextFile(path("x")), /^(\d+?)\1*$/);
    assert.deepEqual(await list(path()), ["x"]);
  });

  it("reads ranges and refuses those outside the file before allocating", async () => {
    await writeFile(path("x"), Uint8Array.of(0, 1, 2, 3));
    const file = await openFile(path("x"));
    assert.equal(file.size, 4);
    assert.deepEqual(await file.read(4, 0), new Uint8Array(0));
    await assert.rejects(file.read(2, 2 ** 50), /has 4 bytes/);
    await assert.rejects(file.read(-1, 2), /has 4 bytes/);
    await assert.rejects(file.read(0, Number.NaN), /has 4 bytes/);
    await file.close();
  });

  it("names the path and the reason", async () => {
    await makeFolder(path("folder"));
    await assert.rejects(readFile(path("none")), /Cannot open .*none: it does not exist\./);
    await assert.rejects(readFile(path("folder")), /Cannot open .*folder: it is a folder, not a file\./);
    await assert.rejects(list(path("none")), /Cannot list .*none: it does not exist\./);
    await assert.rejects(stat(path("none")), /Cannot look at .*none/);
    await writeFile(path("text"), Uint8Array.of(0xff));
    await assert.rejects(readTextFile(path("text")), /text is not UTF-8 text/);
    await writeFile(path("json"), "{");
    await assert.rejects(readJsonFile(path("json")), /json is not valid JSON/);
    await assert.rejects(writeFile(path("text", "below"), "x"), /Cannot make the folder .*text/);
  });

  it("removes, and tells what is there", async () => {
    await writeFile(path("a", "b"), "x");
    assert.equal(await exists(path("a", "b")), true);
    assert.deepEqual([(await stat(path("a"))).isDirectory, (await stat(path("a", "b"))).size], [true, 1]);
    await remove(path("a"));
    await remove(path("a"));
    assert.equal(await exists(path("a")), false);
  });

  it("hashes as FIPS 180-4 says", async () => {
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert.equal(sha256("abc"), abc);
    await writeFile(path("abc"), "abc");
    assert.equal(await sha256OfFile(path("abc")), abc);
  });
});
