import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { connectChroma } from "../../src/retrieval/chroma/connection.ts";
import { type LocalServer, launchServer } from "../../src/retrieval/chroma/server/launch.ts";
import { chromaStore } from "../../src/retrieval/store/chroma/chroma-store.ts";
import { sqliteStore } from "../../src/retrieval/store/sqlite/sqlite-store.ts";
import { storeContract } from "../../src/testing/store-contract.ts";
import { CONTRACT_VECTOR_DIMENSION } from "../../src/testing/store-contract-dense.ts";
import { chromaCommand, realChroma } from "../support/chroma.ts";

realChroma.describe("on a real server", () => {
  const work = mkdtempSync(join(tmpdir(), "winnow-chroma-store-"));
  let server: LocalServer;
  let made = 0;
  beforeAll(async () => {
    server = await launchServer({
      executable: chromaCommand,
      folder: join(work, "data"),
      logFile: join(work, "server.log"),
      environment: process.env,
    });
  });
  afterAll(async () => {
    await server.close();
    rmSync(work, { recursive: true, force: true });
  });

  storeContract("chroma", async () => {
    const name = `contract-${++made}`;
    const words = sqliteStore({ folder: join(work, name) });
    const connect = () => connectChroma({ address: server.address });
    const store = chromaStore({ words, connect, name, vectorDimension: CONTRACT_VECTOR_DIMENSION });
    return { store, remove: () => store.close() };
  });
});
