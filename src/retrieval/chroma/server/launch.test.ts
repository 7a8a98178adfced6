import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect } from "vitest";
import { skipUnless } from "../../../../test/support/skip-unless.ts";
import { findChroma } from "./find-executable.ts";
import { launchServer } from "./launch.ts";

const posix = skipUnless(process.platform !== "win32", "the stand-ins for the server are shell scripts.", {
  mayBeAbsent: true,
});

let work: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "winnow-launch-"));
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

/** A `chroma` that is a script. */
function executable(script: string): string {
  const file = join(work, "chroma");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** One that answers like a server, as far as the launcher looks, and notes its process. */
const answering = () => {
  writeFileSync(
    join(work, "server.mjs"),
    `import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
const [, , , , folder, , host, , port] = process.argv;
writeFileSync(${JSON.stringify(join(work, "seen"))}, JSON.stringify({ folder, host, port, pid: process.pid }));
createServer((request, response) => response.end("{}")).listen(Number(port), host);`,
  );
  return executable(`exec "${process.execPath}" "${join(work, "server.mjs")}" "$@"`);
};

const launch = (file: string, options: { readyTimeoutMs?: number; signal?: AbortSignal } = {}) =>
  launchServer({
    executable: file,
    folder: join(work, "data dir"),
    logFile: join(work, "server.log"),
    environment: { PATH: process.env["PATH"] },
    ...options,
  });

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

posix.describe("launchServer", () => {
  posix.test("runs on the loopback address until it is closed", async () => {
    const server = await launch(answering());
    const seen = JSON.parse(readFileSync(join(work, "seen"), "utf8"));
    expect(seen).toMatchObject({ folder: join(work, "data dir"), host: "127.0.0.1" });
    expect(server.address).toBe(`http://127.0.0.1:${seen.port}`);
    expect((await fetch(`${server.address}/api/v2/heartbeat`)).ok).toBe(true);
    await server.close();
    expect(isAlive(seen.pid)).toBe(false);
    await server.close();
  });

  posix.test("two servers have two ports", async () => {
    const file = answering();
    const [one, two] = [await launch(file), await launch(file)];
    expect(one.address).not.toBe(two.address);
    await Promise.all([one.close(), two.close()]);
  });

  posix.test("a server that ends at once says why, without control characters", async () => {
    const file = executable(`printf 'migration \\033[31mfailed\\n' >&2; exit 3`);
    await expect(launch(file)).rejects.toMatchObject({
      code: "store_failed",
      message: expect.stringMatching(/ended at its start: migration .*failed/),
    });
  });

  posix.test("a server that is built for a newer C library is told apart, with what helps", async () => {
    const said = "Error: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.39' not found (required by chromadb.node)";
    const file = executable(`cat <<'END' >&2\n${said}\nEND\nexit 1`);
    await expect(launch(file)).rejects.toMatchObject({
      code: "dependency_missing",
      message: expect.stringMatching(/newer C library/),
      hint: expect.stringMatching(/pip install chromadb/),
    });
  });

  posix.test("a server that never answers is a timeout, and gone", async () => {
    const file = executable(`echo $$ > "${join(work, "pid")}"; echo waiting for a lock; exec sleep 60`);
    await expect(launch(file, { readyTimeoutMs: 400 })).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringMatching(/waiting for a lock/),
      hint: expect.stringMatching(/in-place/),
    });
    await delay(50);
    expect(isAlive(Number(readFileSync(join(work, "pid"), "utf8")))).toBe(false);
  });

  posix.test("waiting for a server can be cancelled", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    await expect(launch(executable("exec sleep 60"), { signal: abort.signal })).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  posix.test("an executable that does not exist is an error, not a crash", async () => {
    await expect(launch(join(work, "nothing"))).rejects.toMatchObject({ code: "store_failed" });
  });
});

posix.describe("findChroma", () => {
  posix.test("takes the named one, else the first of the PATH that can be run", async () => {
    const file = executable("exit 0");
    expect(await findChroma({ WINNOW_CHROMA: file, PATH: "/nowhere" })).toBe(file);
    expect(await findChroma({ PATH: `/nowhere:relative:${work}` })).toBe(file);
  });

  posix.test("without one it says how to get it; a wrong name is not passed over", async () => {
    const missing = expect.objectContaining({
      code: "dependency_missing",
      hint: expect.stringMatching(/pip install chromadb/),
    });
    await expect(findChroma({ PATH: "" })).rejects.toEqual(missing);
    executable("exit 0");
    await expect(findChroma({ WINNOW_CHROMA: join(work, "no"), PATH: work })).rejects.toEqual(missing);
    chmodSync(join(work, "chroma"), 0o644);
    await expect(findChroma({ PATH: work })).rejects.toEqual(missing);
  });
});
