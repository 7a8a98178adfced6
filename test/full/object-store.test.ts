import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { seededRandom } from "../../src/core/clock.ts";
import { parseObjectAddress } from "../../src/core/object-address.ts";
import { indexCorpus } from "../../src/features/index-corpus.ts";
import { objectAccess } from "../../src/retrieval/objects/access.ts";
import { ObjectStore } from "../../src/retrieval/objects/object-store.ts";
import { bundleChild, type Child } from "../support/bundle-child.ts";
import { type CommandResult, runCommand } from "../support/command.ts";
import { type ObjectServer, startObjectServer } from "../support/object-server.ts";
import { objectServer, realObjectStore } from "../support/object-store.ts";
import { packAndUnpack } from "../support/packed.ts";
import { type PlainProxy, plainProxy } from "../support/plain-proxy.ts";

const KILLS = Math.max(3, Math.min(10, Number(process.env["WINNOW_TEST_SCALE"] ?? 1)));
const READERS = 3;
const DOCUMENTS = 40;
const BUCKET = "winnow";
/** Longer than a look at the address is old, and a fetch takes. */
const MOVE_MS = 60_000;
const { signal } = new AbortController();

/** A reader that stays open: prints what it finds, one line of JSON each time, until it is killed. */
const READER = `
  import { writeSync } from "node:fs";
  import { setTimeout as sleep } from "node:timers/promises";
  import { openCorpus } from "./src/corpus.ts";
  const corpus = await openCorpus(process.argv[2]);
  for (;;) {
    const [found, grep] = await Promise.all([
      corpus.find("shared words", { mode: "hybrid", documents: 30 }),
      corpus.find("state[0-9]+", { mode: "grep", documents: 30 }),
    ]);
    const states = [found, grep].map(({ documents }) =>
      [...new Set(documents.map(({ passages }) => /state[0-9]+/.exec(passages[0].text)?.[0]))]);
    writeSync(1, JSON.stringify({ states, counts: [found.documents.length, grep.matchesTotal] }) + "\\n");
    await sleep(50);
  }
`;
/** A publisher that kills itself when it was told so often how far it is, or so long after that. */
const PUBLISHER = `
  import { publishCorpus } from "./src/features/publish-corpus.ts";
  const [workingFolder, to, after, delayMs] = process.argv.slice(2);
  let told = 0;
  const die = () => process.kill(process.pid, "SIGKILL");
  const scope = { workingFolder, known: {} };
  await publishCorpus(
    { from: ".", to, scope, environment: process.env, signal: new AbortController().signal },
    () => {
      if (++told !== Number(after)) return;
      if (Number(delayMs) === 0) die();
      setTimeout(die, Number(delayMs));
    },
  );
`;

let base: string;
let server: ObjectServer;
let proxy: PlainProxy;
let environment: Record<string, string>;
let packed: ReturnType<typeof packAndUnpack>;
let programs: { readonly reader: Child; readonly publisher: Child };

/** Brings a folder's documents to a state, and indexes it. */
async function bring(name: string, state: number): Promise<string> {
  const folder = join(base, name);
  await mkdir(folder, { recursive: true });
  for (let i = 0; i < DOCUMENTS; i++) {
    await writeFile(join(folder, `d${i}.md`), `# Note ${i}\n\nThe shared words of number${i}, in state${state}.\n`);
  }
  await indexCorpus({ folder: join(folder, ".winnow"), paths: [folder], signal });
  return folder;
}
const winnow = (
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = environment,
): Promise<CommandResult> => runCommand(packed.cli, args, { cwd, home: packed.home, env });
async function json(cwd: string, args: readonly string[]) {
  const result = await winnow(cwd, [...args, "--json"]);
  return { code: result.code, ...JSON.parse(result.stdout) };
}
const forget = () => rm(join(packed.home, ".cache"), { recursive: true, force: true });

realObjectStore.describe("an object store", () => {
  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), "winnow-object-store-"));
    [packed, server] = [packAndUnpack(), await startObjectServer(objectServer)];
    await server.makeBucket(BUCKET);
    // Every request from here on is refused unless it is signed as the server expects.
    const keys = await server.checkSignatures();
    proxy = await plainProxy(server.address);
    environment = { ...keys, AWS_ENDPOINT_URL: proxy.address };
    programs = {
      reader: await bundleChild("s3-reader", READER),
      publisher: await bundleChild("s3-publisher", PUBLISHER),
    };
  }, 300_000);
  afterEach(() => {
    proxy.meddle = () => undefined;
  });
  afterAll(async () => {
    await proxy.close();
    await server.stop();
    packed.remove();
    await Promise.all([programs.reader.remove(), programs.publisher.remove()]);
    await rm(base, { recursive: true, force: true });
  });

  test("answers as the index does that was published there", async () => {
    const folder = await bring("same", 1);
    const to = `s3://${BUCKET}/same`;
    expect(await json(folder, ["copy", ".", to])).toMatchObject({ code: 0, schema: "publish/1", documents: DOCUMENTS });
    const elsewhere = join(base, "elsewhere");
    await mkdir(elsewhere);
    const listed = (documents: { id: string; rank: number; chunkIds: string[]; passages: unknown }[]) =>
      documents.map(({ id, rank, chunkIds, passages }) => ({ id, rank, chunkIds, passages }));
    for (const args of [
      ["find", "number7 shared words", "--mode", "lexical"],
      ["find", "a note about number7", "--mode", "dense"],
      ["find", "which note is in which state", "--mode", "hybrid", "-k", "20"],
      ["find", "number[12]+,", "--mode", "grep"],
      ["find", "shared", "--where", "path contains d1"],
      ["search", "What is number7 in?"],
    ]) {
      const [here, there] = [await json(folder, args), await json(elsewhere, [...args, "--corpus", to])];
      expect(there.documents.length, args.join(" ")).toBeGreaterThan(0);
      expect(listed(there.documents), args.join(" ")).toEqual(listed(here.documents));
    }
    expect((await json(elsewhere, ["read", "d7.md", "--corpus", to])).text).toContain("number7");
    expect((await json(elsewhere, ["runs", "--corpus", to])).runs).toHaveLength(1);
    const status = await winnow(elsewhere, ["status", "--corpus", to]);
    expect(status.stdout).toContain(to);
    expect(status.stdout).toMatch(/published +20/);
    expect((await winnow(elsewhere, ["doctor", "--corpus", to])).stdout).toMatch(/ok +corpus same/);
    for (const args of [["index", "."], ["forget", "d7.md"], ["reembed"]]) {
      const refused = await json(elsewhere, [...args, "--corpus", to]);
      expect(refused).toMatchObject({ code: 2, error: { hint: expect.stringContaining(`winnow copy . ${to}`) } });
    }
  });

  test("readers move to what is published next without reopening, and never see a part of it", async () => {
    const folder = await bring("moving", 1);
    const to = `s3://${BUCKET}/moving`;
    await json(folder, ["copy", ".", to]);
    const readers = Array.from({ length: READERS }, (_, i) => startReader(to, join(base, `home-${i % 2}`)));
    try {
      await Promise.all(readers.map((reader) => reader.until("state1")));
      await bring("moving", 2);
      expect(await json(folder, ["copy", ".", to])).toMatchObject({ code: 0 });
      await Promise.all(readers.map((reader) => reader.until("state2")));
      for (const { answers } of readers) {
        for (const { states, counts } of answers) {
          for (const state of states) expect(state).toHaveLength(1);
          expect(counts).toEqual([30, DOCUMENTS]);
        }
      }
    } finally {
      for (const { child } of readers) child.kill("SIGKILL");
    }
  }, 300_000);

  test("a publisher that is killed leaves the state before, and the next one goes on", async () => {
    const folder = await bring("killed", 1);
    const to = `s3://${BUCKET}/killed`;
    const files: number = (await json(folder, ["copy", ".", to])).files;
    const random = seededRandom(31);
    let state = 1;
    for (let i = 0; i < KILLS; i++) {
      const wanted = i + 2;
      await bring("killed", wanted);
      // Some in the middle, some about where the manifest is replaced.
      const after = i % 2 === 0 ? 1 + Math.floor(random() * files) : files;
      const args = [programs.publisher.script, folder, to, String(after), String(Math.floor(random() * 150))];
      const child = spawn(process.execPath, args, { env: { ...process.env, ...environment }, stdio: "ignore" });
      await new Promise((resolve) => child.once("close", resolve));
      const found = await json(base, ["find", "shared words", "-k", "30", "--corpus", to]);
      const states = new Set(found.documents.map(stateOf));
      expect([...states]).toHaveLength(1);
      expect([`state${state}`, `state${wanted}`]).toContain([...states][0]);
      expect(await json(folder, ["copy", ".", to])).toMatchObject({ code: 0 });
      const whole = await json(base, ["find", "state[0-9]+", "--mode", "grep", "-k", "30", "--corpus", to]);
      expect(whole.matchesTotal).toBe(DOCUMENTS);
      expect([...new Set(whole.documents.map(stateOf))]).toEqual([`state${wanted}`]);
      state = wanted;
    }
  }, 600_000);

  test("of two publishers at once one is refused", async () => {
    const [one, two] = [await bring("one", 1), join(base, "two")];
    const to = `s3://${BUCKET}/both`;
    expect(await json(one, ["copy", ".", to])).toMatchObject({ code: 0 });
    await cp(one, two, { recursive: true });
    await Promise.all([bring("one", 2), bring("two", 3)]);
    let held = false;
    proxy.meddle = async ({ method, path }) => {
      if (held || method !== "PUT" || !path.endsWith("/both/manifest.json")) return undefined;
      held = true;
      expect(await json(two, ["copy", ".", to])).toMatchObject({ code: 0 });
      return undefined;
    };
    const refused = await json(one, ["copy", ".", to]);
    expect(refused).toMatchObject({
      code: 1,
      error: { code: "corpus_locked", hint: expect.stringContaining("--replace") },
    });
    const found = await json(base, ["find", "shared words", "--corpus", to]);
    expect(new Set(found.documents.map(stateOf))).toEqual(new Set(["state3"]));
    expect(await json(one, ["copy", ".", to])).toMatchObject({ code: 2, error: { code: "invalid_argument" } });
    expect(await json(one, ["copy", ".", to, "--replace"])).toMatchObject({ code: 0 });
  });

  test("what goes wrong is said with what to do, and harms nothing that was fetched", async () => {
    const folder = await bring("faults", 1);
    const to = `s3://${BUCKET}/faults`;
    await json(folder, ["copy", ".", to]);
    const find = ["find", "shared words", "--corpus", to];
    const failing = async (args: readonly string[], env: Record<string, string>, message: RegExp) => {
      const { code, stderr } = await winnow(base, args, { ...environment, ...env });
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/hint: \w/);
      for (const [name, secret] of Object.entries({ ...environment, ...env })) {
        if (/SECRET|TOKEN/.test(name)) expect(stderr).not.toContain(secret);
      }
    };
    await failing(["find", "x", "--corpus", "s3://nowhere/faults"], {}, /no bucket nowhere/);
    await failing(["find", "x", "--corpus", `s3://${BUCKET}/nothing`], {}, /Nothing is published/);
    await failing(find, { AWS_SECRET_ACCESS_KEY: "wrong-secret" }, /SignatureDoesNotMatch/);
    await failing(find, { AWS_ACCESS_KEY_ID: "AKIAWRONG" }, /InvalidAccessKeyId/);
    expect((await winnow(base, find, {})).stderr).toContain("AWS_ACCESS_KEY_ID holds nothing");
    const expired = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
    proxy.meddle = () => ({ status: 400, body: expired });
    await failing(find, { AWS_SESSION_TOKEN: "the-token" }, /ExpiredToken/);
    proxy.meddle = ({ path }) => (path.endsWith("manifest.json") ? { status: 200, body: '{"format":"x' } : undefined);
    await failing(find, {}, /manifest.json is damaged/);
    // Overloaded twice, every other body cut in half: it takes longer.
    let requests = 0;
    proxy.meddle = () => {
      requests++;
      if (requests <= 2) return { status: 503, headers: { "retry-after": "1" } };
      return requests % 4 === 0 ? "half" : requests % 7 === 0 ? "broken" : undefined;
    };
    await forget();
    const through = await json(base, find);
    expect(through.documents).toHaveLength(10);
    expect(through.notices).toEqual([]);
    // Gone: what was fetched is searched, and the answer says so.
    proxy.meddle = () => "broken";
    const without = await json(base, find);
    expect(without.documents).toEqual(through.documents);
    expect(without.notices).toMatchObject([
      { code: "stale_index", message: expect.stringContaining("cannot be reached") },
    ]);
    proxy.meddle = () => undefined;
    expect((await json(base, find)).notices).toEqual([]);
  }, 300_000);

  test("takes a large file in parts, and gives it back whole", async () => {
    const path = join(base, "large");
    const content = randomBytes(40 * 2 ** 20);
    await writeFile(path, content);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const store = new ObjectStore({
      address: parseObjectAddress(`s3://${BUCKET}/large`),
      access: objectAccess(environment),
    });
    await store.upload("objects/x", path, { bytes: content.length, sha256 });
    expect(await store.list("objects/")).toMatchObject([{ key: "objects/x", bytes: content.length }]);
    let cut = false;
    proxy.meddle = () => {
      const fate = cut ? undefined : "half";
      cut = true;
      return fate;
    };
    await store.download("objects/x", join(base, "back"), { bytes: content.length, sha256 });
    expect((await readFile(join(base, "back"))).equals(content)).toBe(true);
  });
});

function stateOf({ passages }: { readonly passages: readonly { readonly text: string }[] }): string | undefined {
  return /state[0-9]+/.exec(passages[0]?.text ?? "")?.[0];
}

interface Answer {
  readonly states: readonly (readonly string[])[];
  readonly counts: readonly number[];
}

/** A process with a corpus open. Those of one home share what they fetch. */
function startReader(
  to: string,
  home: string,
): { child: ChildProcess; answers: Answer[]; until(state: string): Promise<void> } {
  const env = { ...process.env, ...environment, HOME: home };
  const child = spawn(process.execPath, [programs.reader.script, to], { env, stdio: ["ignore", "pipe", "inherit"] });
  const answers: Answer[] = [];
  let rest = "";
  child.stdout.on("data", (data) => {
    const lines = `${rest}${data}`.split("\n");
    rest = lines.pop() ?? "";
    answers.push(...lines.map((line): Answer => JSON.parse(line)));
  });
  return {
    child,
    answers,
    async until(state) {
      for (const start = performance.now(); performance.now() - start < MOVE_MS; await sleep(50)) {
        if (child.exitCode !== null) throw new Error(`The reader ended with ${child.exitCode}.`);
        if (
          answers
            .at(-1)
            ?.states.flat()
            .every((one) => one === state) === true
        )
          return;
      }
      throw new Error(`The reader never saw ${state}: ${JSON.stringify(answers.at(-1))}`);
    },
  };
}
