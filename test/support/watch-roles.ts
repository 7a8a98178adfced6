import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../../src/core/clock.ts";
import { openCorpus } from "../../src/corpus.ts";
import { watchCorpus } from "../../src/features/watch-corpus.ts";

/** The processes of a long watch: each is `node PROGRAM ROLE FOLDER …`, and prints lines of JSON. */
export type Role = "watch" | "write" | "find" | "search";

/** What was done to a file, told once it was done. */
export interface WrittenOp {
  readonly op: "change" | "add" | "move" | "remove";
  /** Relative to the folder above the notes. */
  readonly key: string;
  /** A word that only this state of the file holds; of a file that was removed, the one it held. */
  readonly token: string;
  readonly at: number;
  /** Of a file that was moved: where it was. */
  readonly from?: string;
}

/** One query: how long it took, or what was wrong. */
export interface Asked {
  readonly at: number;
  readonly ms: number;
  readonly error?: string;
}

const WORDS = 3_000;
const FILE_WORDS = 150;
const FOLDERS = 100;
/** Of a second without a pause: as if the caller read what came. */
const FIND_PAUSE_MS = 100;
const SEARCH_PAUSE_MS = 500;

const word = (i: number): string => `w${((i * 7919) % 99_991).toString(36)}`;

/** Words that files are made of, the frequent ones first. */
export function questionWords(random: () => number, count: number): string {
  return Array.from({ length: count }, () => word(Math.floor(WORDS * random() ** 2))).join(" ");
}

export function noteText(title: string, token: string, random: () => number): string {
  return `# ${title}\n\n${token}\n\n${questionWords(random, FILE_WORDS)}\n`;
}

/** The files that a watch begins with. */
export async function writeNotes(notes: string, files: number): Promise<void> {
  const random = seededRandom(1);
  for (let i = 0; i < Math.min(FOLDERS, files); i++) await mkdir(join(notes, `part-${i}`), { recursive: true });
  for (let i = 0; i < files; i++) {
    await writeFile(join(notes, `part-${i % FOLDERS}`, `note-${i}.md`), noteText(`Note ${i}`, `first${i}x`, random));
  }
}

/** Runs a role until it is told to end by SIGTERM. */
export async function runRole(role: Role, folder: string, rest: readonly string[]): Promise<void> {
  const controller = new AbortController();
  process.on("SIGTERM", () => controller.abort());
  const { signal } = controller;
  if (role === "watch") await watchNotes(folder, signal);
  else if (role === "write") await changeNotes(folder, Number(rest[0]), signal);
  else await ask(role, folder, signal);
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function watchNotes(folder: string, signal: AbortSignal): Promise<void> {
  for await (const event of watchCorpus({ folder: join(folder, ".winnow"), paths: [join(folder, "notes")], signal })) {
    say({ at: Date.now(), ...event });
  }
}

/** Changes, adds, moves and removes files, so many a second in all, the number of files staying about the same. */
async function changeNotes(folder: string, perSecond: number, signal: AbortSignal): Promise<void> {
  const random = seededRandom(2);
  const tokens = new Map<string, string>();
  for (const part of await readdir(join(folder, "notes"))) {
    for (const name of await readdir(join(folder, "notes", part))) {
      tokens.set(`notes/${part}/${name}`, `first${/\d+/.exec(name)?.[0]}x`);
    }
  }
  const keys = [...tokens.keys()];
  const begin = Date.now();
  for (let i = 0; !signal.aborted; i++) {
    const waitMs = begin + (i * 1_000) / perSecond - Date.now();
    if (waitMs > 0) await sleep(waitMs);
    const index = Math.floor(random() * keys.length);
    say(await changeOne(folder, { i, index, keys, tokens, random }));
  }
}

interface Change {
  readonly i: number;
  readonly index: number;
  readonly keys: string[];
  readonly tokens: Map<string, string>;
  readonly random: () => number;
}

async function changeOne(folder: string, { i, index, keys, tokens, random }: Change): Promise<WrittenOp> {
  const kind = random();
  const key = keys[index] ?? "";
  const fresh = `notes/part-${i % FOLDERS}/new-${i}.md`;
  const token = `stamp${i}x`;
  if (kind < 0.15) {
    await mkdir(dirname(join(folder, fresh)), { recursive: true });
    await writeFile(join(folder, fresh), noteText(`New ${i}`, token, random));
    keys.push(fresh);
    tokens.set(fresh, token);
    return { op: "add", key: fresh, token, at: Date.now() };
  }
  const held = tokens.get(key) ?? "";
  if (kind < 0.3) {
    await rm(join(folder, key));
    keys.splice(index, 1);
    tokens.delete(key);
    return { op: "remove", key, token: held, at: Date.now() };
  }
  if (kind < 0.4) {
    await mkdir(dirname(join(folder, fresh)), { recursive: true });
    await rename(join(folder, key), join(folder, fresh));
    keys[index] = fresh;
    tokens.delete(key);
    tokens.set(fresh, held);
    return { op: "move", key: fresh, token: held, at: Date.now(), from: key };
  }
  const text = noteText(`Changed ${i}`, token, random);
  // Half of the changes are as an editor saves: a new file takes the place of the old.
  if (kind < 0.7) await writeFile(join(folder, key), text);
  else {
    await writeFile(join(folder, `${key}.new`), text);
    await rename(join(folder, `${key}.new`), join(folder, key));
  }
  tokens.set(key, token);
  return { op: "change", key, token, at: Date.now() };
}

/** Asks one question after the other, through a corpus that is opened once. */
async function ask(role: "find" | "search", folder: string, signal: AbortSignal): Promise<void> {
  const random = seededRandom(role === "find" ? 3 : 4);
  const environment = { HOME: folder, XDG_CONFIG_HOME: folder };
  const corpus = await openCorpus([], { folder, environment });
  while (!signal.aborted) {
    const start = performance.now();
    const question = questionWords(random, 3);
    let error: string | undefined;
    try {
      if (role === "find") await corpus.find(question);
      else {
        const run = await corpus.search(question);
        const { stopReason } = await run.result;
        if (stopReason !== "finished" && stopReason !== "max_turns") error = stopReason;
      }
    } catch (thrown) {
      error = String(thrown);
    }
    say({ at: Date.now(), ms: performance.now() - start, ...(error === undefined ? {} : { error }) } satisfies Asked);
    await sleep(role === "find" ? FIND_PAUSE_MS : SEARCH_PAUSE_MS);
  }
  await corpus.close();
}
