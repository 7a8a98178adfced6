import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChromaEntry } from "../../config/corpora.ts";
import { checkAttached } from "./check-attached.ts";

let folder: string;
let server: Server;
let address: string;
let asked: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "winnow-check-"));
  asked = 0;
  const answers: Readonly<Record<string, unknown>> = {
    "/api/v2/version": "1.5.0",
    "/api/v2/tenants/default_tenant/databases/default_database": { id: "1", name: "default_database" },
    "/api/v2/pre-flight-checks": { max_batch_size: 100 },
  };
  server = createServer((request, response) => {
    asked++;
    const answer = answers[request.url ?? ""];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const entry = (place: string, more: Partial<ChromaEntry> = {}): ChromaEntry => ({
  kind: "chroma",
  ...{ place, collection: "docs", role: "documents", documentKey: "path", embedder: "none", inPlace: false },
  indexFolder: join(folder, ".winnow", "attached", "docs"),
  ...more,
});

test("directories need the command, which is asked for once; without it the check says how to get it", async () => {
  const entries = [
    ["a", entry(join(folder, "data"))],
    ["b", entry(join(folder, "other"))],
  ] as const;
  expect(await checkAttached(entries, { WINNOW_CHROMA: "/nonexistent" })).toEqual([
    {
      name: "chroma",
      state: "warn",
      detail: "WINNOW_CHROMA names /nonexistent, which cannot be run.",
      hint: expect.stringContaining("pip install chromadb"),
    },
  ]);
  const command = join(folder, "chroma");
  writeFileSync(command, "#!/bin/sh\n");
  chmodSync(command, 0o755);
  expect(await checkAttached(entries, { WINNOW_CHROMA: command })).toEqual([
    { name: "chroma", state: "ok", detail: `attached directories are opened by ${command}` },
  ]);
});

test("every server is reached once, replicas too, and no command is asked for", async () => {
  const gone = "http://127.0.0.1:9";
  const entries = [
    ["a", entry(address, { replicas: [gone] })],
    ["b", entry(address, { collection: "others" })],
  ] as const;
  expect(await checkAttached(entries, { WINNOW_CHROMA: "/nonexistent" })).toEqual([
    { name: `chroma ${address}`, state: "ok", detail: "answers, version 1.5.0" },
    { name: `chroma ${gone}`, state: "warn", detail: expect.stringContaining(gone), hint: expect.any(String) },
  ]);
});

test("a place without leave is told, and not reached", async () => {
  const leave = { folder, granted: [], userFile: "/home/u/config.json" };
  expect(await checkAttached([["a", entry(address, { leave })]], {})).toEqual([
    { name: "attached a", state: "warn", detail: expect.stringContaining(address), hint: expect.any(String) },
  ]);
  expect(asked).toBe(0);
});
