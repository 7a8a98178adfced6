import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadConfig } from "../../config/config.ts";
import { type MemoryObjects, memoryObjects } from "../../testing/memory-objects.ts";
import { attachPublished } from "../attach-published.ts";
import { copyCorpus } from "../copy-corpus.ts";
import { corpusStatus } from "../corpus-status.ts";
import { doctor } from "../doctor.ts";
import { indexCorpus } from "../index-corpus.ts";
import {
  type CorpusScope,
  locateCorpora,
  locateOwn,
  openCorpora,
  refusePublished,
  targetFolder,
} from "../open-corpora.ts";
import { publishCorpus } from "../publish-corpus.ts";

const TO = "s3://bucket/handbook";
const { signal } = new AbortController();

let home: string;
let made: string;
let project: string;
let server: MemoryObjects;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "winnow-published-"));
  [made, project] = [join(home, "made"), join(home, "project")];
  await Promise.all([made, project].map((folder) => mkdir(folder)));
  server = await memoryObjects();
  const places = { CACHE: "cache", STATE: "state", CONFIG: "config" };
  for (const [kind, name] of Object.entries(places)) vi.stubEnv(`XDG_${kind}_HOME`, join(home, name));
  for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
  await writeFile(join(made, "pools.md"), "# Pools\n\nThe connection pool has ten places.\n");
  await indexCorpus({ folder: join(made, ".winnow"), paths: [made], signal });
  await publish();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
  await rm(home, { recursive: true, force: true });
});

const publish = () =>
  publishCorpus({ from: ".", to: TO, scope: { workingFolder: made, known: {} }, environment: process.env, signal });
async function scope(named: readonly string[] = []): Promise<CorpusScope> {
  const { corpora, mirrorGigabytes } = (await loadConfig(project, process.env)).settings;
  return { workingFolder: project, named, known: corpora, mirrorGigabytes };
}
async function attach(): Promise<Awaited<ReturnType<typeof attachPublished>>> {
  const { settings } = await loadConfig(project, process.env);
  return attachPublished({
    address: `${TO}/`,
    dryRun: false,
    workingFolder: project,
    settings,
    environment: process.env,
    signal,
  });
}
async function found(named: readonly string[] = []) {
  const corpora = await openCorpora(await scope(named));
  try {
    return await Promise.all(corpora.map((corpus) => corpus.find({ text: "pool", mode: "lexical", chunksMax: 5 })));
  } finally {
    await Promise.all(corpora.map((corpus) => corpus.close()));
  }
}

test("an address is a corpus, named after its end, whose runs are kept on this machine", async () => {
  const [place] = await locateCorpora(await scope([TO]));
  expect(place).toMatchObject({ name: "handbook", published: { address: TO, isAsked: true } });
  expect(place?.runsFolder.startsWith(join(home, "state", "winnow", "published"))).toBe(true);
  expect((await found([TO]))[0]?.hits[0]?.chunk).toMatchObject({ documentId: "pools.md", uri: "pools.md" });
  // The same address on another server is another place.
  vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
  expect((await locateCorpora(await scope([TO])))[0]?.folder).not.toBe(place?.folder);
  for (const named of ["s3://bucket/../x", "s3://b"]) {
    await expect(locateCorpora(await scope([named]))).rejects.toMatchObject({ code: "invalid_argument" });
  }
});

test("attached, it is searched by its name and by default, with leave that the folder cannot give itself", async () => {
  expect(await attach()).toMatchObject({ name: "handbook", documents: 1, granted: true, written: true });
  expect(JSON.parse(await readFile(join(project, "winnow.json"), "utf8"))).toEqual({ corpora: { handbook: TO } });
  const user = join(home, "config", "winnow", "config.json");
  expect(JSON.parse(await readFile(user, "utf8"))).toEqual({ mayRead: { [project]: [TO] } });
  expect((await found())[0]?.hits).toHaveLength(1);
  expect((await found(["handbook"]))[0]?.hits).toHaveLength(1);
  expect(await attach()).toMatchObject({ granted: false });
  await rm(user);
  server.requests.length = 0;
  const [answer] = await found(["handbook"]);
  expect(answer).toMatchObject({ hits: [], notices: [{ code: "left_out" }] });
  expect(answer?.notices[0]?.message).toContain(`winnow attach ${TO} --name handbook`);
  const [place] = await locateCorpora(await scope());
  await expect(place && corpusStatus(place)).rejects.toMatchObject({ code: "invalid_config" });
  expect(server.requests).toEqual([]);
});

test("nothing is written where nothing is published, or the name is taken", async () => {
  await writeFile(join(project, "winnow.json"), '{"corpora":{"handbook":"docs"}}');
  await expect(attach()).rejects.toMatchObject({ code: "invalid_argument", hint: expect.stringContaining("--name") });
  await writeFile(join(project, "winnow.json"), "{}");
  server.objects.clear();
  await expect(attach()).rejects.toMatchObject({ code: "corpus_not_found" });
  expect(await readFile(join(project, "winnow.json"), "utf8")).toBe("{}");
});

test("one that nobody asked for and that fails does not keep others from being searched", async () => {
  await attach();
  await writeFile(join(project, "own.md"), "A pool of our own.\n");
  await indexCorpus({ folder: join(project, ".winnow"), paths: [join(project, "own.md")], signal });
  await rm(join(home, "cache"), { recursive: true });
  server.before = () => ({ status: 403, body: "<Error><Code>AccessDenied</Code></Error>" });
  const [own, published] = await found();
  expect(own?.hits).toHaveLength(1);
  expect(published).toMatchObject({
    hits: [],
    notices: [{ code: "left_out", message: expect.stringContaining("403") }],
  });
  await expect(found(["handbook"])).rejects.toMatchObject({ code: "store_failed" });
});

test("status and doctor tell what is published, and where it cannot be reached", async () => {
  const [place] = await locateCorpora(await scope([TO]));
  if (place === undefined) throw new Error("no place");
  const status = await corpusStatus(place);
  expect(status).toMatchObject({ location: TO, documents: 1, runs: 0, published: { address: TO } });
  expect(status.published?.unreachable).toBeUndefined();
  const check = async () => {
    const config = await loadConfig(project, process.env);
    return (await doctor(config, await scope([TO]))).checks.find(({ name }) => name === "corpus handbook");
  };
  expect(await check()).toMatchObject({ state: "ok", detail: expect.stringContaining(TO) });
  await server.close();
  expect(await check()).toMatchObject({ state: "warn", detail: expect.stringContaining("cannot be reached") });
  expect((await corpusStatus(place)).published?.unreachable).toContain("cannot be reached");
}, 60_000);

test("it is not changed where it lies", async () => {
  await attach();
  const refused = { code: "invalid_argument", hint: expect.stringContaining(`winnow copy . ${TO}`) };
  for (const named of [TO, "handbook"]) {
    await expect(locateOwn(await scope([named]))).rejects.toMatchObject(refused);
    await expect(targetFolder(await scope([named]))).rejects.toMatchObject(refused);
    const known = await scope();
    expect(() => refusePublished(["docs", named], known)).toThrowError(expect.objectContaining(refused));
  }
  const copy = copyCorpus({ from: TO, to: "x", scope: await scope(), environment: process.env, signal });
  await expect(copy).rejects.toMatchObject({ code: "invalid_argument" });
});

test("without keys in the environment the message says which are missing", async () => {
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "");
  await expect(found([TO])).rejects.toMatchObject({
    code: "invalid_argument",
    message: "The environment variable AWS_SECRET_ACCESS_KEY holds nothing.",
  });
  await expect(publish()).rejects.toMatchObject({ code: "invalid_argument" });
});
