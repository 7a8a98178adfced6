import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { createTar } from "nanotar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { downloadModel } from "./download-model.ts";
import { findModel, ownFolder } from "./find-model.ts";
import { installModel } from "./model-archive.ts";
import { openMiniLm } from "./open-minilm.ts";

const TINY = fileURLToPath(new URL("./fixtures/tiny", import.meta.url));
const files = ["model.onnx", "tokenizer.json"] as const;
const contentOf = (name: string): Buffer => readFileSync(join(TINY, name));
const sumOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "winnow-model-"));
});
afterEach(() => {
  closeServer?.();
  closeServer = undefined;
  rmSync(home, { recursive: true, force: true });
});

function archive(names: readonly string[] = files, folder = "onnx"): Buffer {
  const entries = names.map((name) => ({ name: `${folder}/${name}`, data: contentOf(name) }));
  return gzipSync(createTar([...entries, { name: `${folder}/vocab.txt`, data: "[PAD]" }]));
}

function placeModel(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const name of files) copyFileSync(join(TINY, name), join(folder, name));
  return folder;
}

const chromaFolder = () => join(home, ".cache", "chroma", "onnx_models", "all-MiniLM-L6-v2");

describe("the place of the model", () => {
  it("is Chroma's cache, then ours, then Chroma's archive", async () => {
    const find = () => findModel({ environment: {}, home });
    expect(await find()).toBeUndefined();
    mkdirSync(chromaFolder(), { recursive: true });
    writeFileSync(join(chromaFolder(), "onnx.tar.gz"), archive());
    expect(await find()).toEqual({ kind: "archive", path: join(chromaFolder(), "onnx.tar.gz") });
    const own = placeModel(ownFolder({ environment: {}, home }));
    expect(await find()).toEqual({ kind: "folder", path: own });
    const chroma = placeModel(join(chromaFolder(), "onnx"));
    expect(await find()).toEqual({ kind: "folder", path: chroma });
    rmSync(join(chroma, "tokenizer.json"));
    expect(await find()).toEqual({ kind: "folder", path: own });
  });

  it("is the named folder and no other where one is named", async () => {
    placeModel(join(chromaFolder(), "onnx"));
    const named = placeModel(join(home, "mine", "onnx"));
    const find = (folder: string) => findModel({ environment: { WINNOW_MINILM: folder }, home });
    expect(await find(named)).toEqual({ kind: "folder", path: named });
    expect(await find(join(home, "mine"))).toEqual({ kind: "folder", path: named });
    await expect(find(join(home, "absent"))).rejects.toMatchObject({
      code: "embedder_failed",
      message: expect.stringMatching(/absent/),
    });
  });

  it("being nowhere is told with what to do", async () => {
    await expect(openMiniLm({ environment: {}, home })).rejects.toMatchObject({
      code: "embedder_failed",
      hint: expect.stringMatching(/WINNOW_MINILM.*doctor --download-model/),
    });
  });
});

describe("an archive", () => {
  const target = () => join(home, "models", "all");
  const install = (bytes: Uint8Array, sha256 = sumOf(bytes), signal?: AbortSignal) => {
    writeFileSync(join(home, "onnx.tar.gz"), bytes);
    return installModel(join(home, "onnx.tar.gz"), target(), { sha256, signal });
  };

  it("becomes a folder with the two files and nothing else", async () => {
    await install(archive());
    expect(readdirSync(target()).sort()).toEqual([...files]);
    for (const name of files) expect(readFileSync(join(target(), name))).toEqual(contentOf(name));
    expect(readdirSync(join(home, "models"))).toEqual(["all"]);
  });

  it("is written nowhere but there, whatever its names say", async () => {
    await install(archive(files, "../../../outside"));
    expect(readdirSync(target()).sort()).toEqual([...files]);
    expect(existsSync(join(home, "outside"))).toBe(false);
  });

  it.each([
    ["with another sum", archive(), "0".repeat(64), /checksum/],
    ["cut off", archive().subarray(0, 2_000), undefined, /cannot be unpacked/],
    ["of something else", gzipSync("hello"), undefined, /lacks|not a tar/],
    ["without the tokenizer", archive(["model.onnx"]), undefined, /lacks tokenizer\.json/],
  ])("%s is refused, and leaves nothing", async (_, bytes, sum, message) => {
    await expect(install(bytes, sum ?? sumOf(bytes))).rejects.toMatchObject({
      code: "embedder_failed",
      message: expect.stringMatching(message),
    });
    expect(readdirSync(join(home, "models"))).toEqual([]);
  });

  it("that was being unpacked when the process died is begun anew, and its remains are deleted after an hour", async () => {
    const old = join(home, "models", ".partial-all-0123");
    const recent = join(home, "models", ".partial-all-4567");
    for (const folder of [old, recent]) mkdirSync(folder, { recursive: true });
    const hoursAgo = Date.now() / 1_000 - 7_200;
    utimesSync(old, hoursAgo, hoursAgo);
    await install(archive());
    expect(readdirSync(join(home, "models")).sort()).toEqual([".partial-all-4567", "all"]);
  });

  it("is not unpacked once the caller cancelled", async () => {
    await expect(install(archive(), undefined, AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
    expect(existsSync(target())).toBe(false);
  });

  it.skipIf(process.getuid?.() === 0)("into a folder that cannot be written is refused", async () => {
    chmodSync(home, 0o500);
    await expect(installModel(join(home, "a"), target())).rejects.toMatchObject({ code: "embedder_failed" });
    chmodSync(home, 0o700);
  });
});

let closeServer: (() => void) | undefined;

describe("a download", () => {
  const whole = archive();
  const target = () => join(home, "own", "all-MiniLM-L6-v2");

  async function serve(answer: (response: ServerResponse) => void): Promise<string> {
    const server: Server = createServer((_, response) => answer(response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closeServer = () => {
      server.closeAllConnections();
      server.close();
    };
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/onnx.tar.gz`;
  }
  const download = (address: string, more: Partial<Parameters<typeof downloadModel>[0]> = {}) =>
    downloadModel({ folder: target(), address, sha256: sumOf(whole), ...more });

  it("is checked, unpacked and told about", async () => {
    const told: number[] = [];
    const address = await serve((response) => {
      response.writeHead(200, { "content-length": whole.length });
      response.end(whole);
    });
    await download(address, { onProgress: (bytes, total) => told.push(bytes / (total ?? 0)) });
    expect(readdirSync(target()).sort()).toEqual([...files]);
    expect(told.at(-1)).toBe(1);
  });

  it.each([
    ["refused", (response: ServerResponse) => response.writeHead(503).end(), "embedder_failed"],
    ["of something else", (response: ServerResponse) => response.end("<html>"), "embedder_failed"],
    [
      "cut off",
      (response: ServerResponse) => {
        response.writeHead(200, { "content-length": whole.length });
        response.write(whole.subarray(0, 100), () => response.destroy());
      },
      "embedder_failed",
    ],
    ["without an answer", () => undefined, "timeout"],
    ["that stalls", (response: ServerResponse) => void response.write(whole.subarray(0, 100)), "timeout"],
  ])("%s fails and leaves nothing", async (_, answer, code) => {
    await expect(download(await serve(answer), { stallMs: 300 })).rejects.toMatchObject({ code });
    expect(readdirSync(join(home, "own"))).toEqual([]);
  });

  it("is cancelled at once", async () => {
    const controller = new AbortController();
    const address = await serve((response) => {
      response.write(whole.subarray(0, 100));
      setTimeout(() => controller.abort(), 50);
    });
    await expect(download(address, { signal: controller.signal })).rejects.toMatchObject({ code: "cancelled" });
    expect(readdirSync(join(home, "own"))).toEqual([]);
  });

  it("is refused without a network, with what to do", async () => {
    await expect(download("http://127.0.0.1:9/onnx.tar.gz")).rejects.toMatchObject({
      code: "embedder_failed",
      retryable: true,
      hint: expect.stringContaining("WINNOW_MINILM"),
    });
  });
});
