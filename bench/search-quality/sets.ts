import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { WORLD_VERSION, writeWorld } from "../../src/features/synthetic-world.ts";
import { writeDocsDataset } from "../support/docs-dataset.ts";
import { readQuestionLines, splitQuestions } from "../support/docs-questions.ts";

/** Questions that systems are measured on. */
export interface QualitySet {
  readonly name: string;
  /** Sets of one kind have one origin: weights fitted without one of them are fitted without all. */
  readonly kind: string;
  readonly title: string;
  /** First questions only. */
  readonly limit?: number;
  /** Groups of questions that are reported by themselves too. */
  readonly groups?: readonly QuestionGroup[];
  /** Puts the set in place and returns its folder, in the BEIR layout. */
  layOut(): Promise<string>;
}

export interface QuestionGroup {
  readonly name: string;
  readonly questions: ReadonlySet<string>;
}

interface World {
  readonly seed: number;
  readonly chunks: number;
  /** Multi-hop questions, and as many of one hop; default as `writeWorld` has it. */
  readonly questions?: number;
  readonly limit: number;
}

const WORLDS: readonly World[] = [
  { seed: 9001, chunks: 4_800, limit: 60 },
  { seed: 9102, chunks: 2_400, questions: 60, limit: 60 },
];
/** The set on which windows are measured. */
export const WINDOWS_SET = "world-9001";

export interface SetsOptions {
  readonly root: string;
  readonly cacheFolder: string;
  /** Folders of datasets in the BEIR layout. */
  readonly folders: readonly string[];
  readonly hasWorlds: boolean;
  readonly signal: AbortSignal;
}

/** Every set there is: those of the folders given, the questions over the documentation, and two synthetic worlds. */
export async function allSets(options: SetsOptions): Promise<QualitySet[]> {
  const given = options.folders.map(givenSet);
  const worlds = options.hasWorlds ? WORLDS.flatMap((world) => worldSets(world, options)) : [];
  const sets = [...given, await documentationSet(options), ...worlds];
  const twice = sets.find(({ name }, i) => sets.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) throw new Error(`Two sets are named ${twice.name}.`);
  return sets;
}

function givenSet(folder: string): QualitySet {
  const path = resolve(folder);
  if (!existsSync(join(path, "queries.jsonl"))) throw new Error(`${folder} is no dataset in the BEIR layout.`);
  const name = basename(path);
  return { name, kind: name.replace(/-\d+$/, ""), title: name, layOut: async () => path };
}

async function documentationSet({ root, cacheFolder, signal }: SetsOptions): Promise<QualitySet> {
  const halves = splitQuestions(await readQuestionLines(root));
  const groups = Object.entries(halves).map(([name, { queries }]): QuestionGroup => {
    const ids = queries.map((line) => (JSON.parse(line) as { readonly _id: string })._id);
    return { name, questions: new Set(ids) };
  });
  return {
    name: "documentation",
    kind: "documentation",
    title: "Documentation of four packages, questions in users' words",
    groups,
    layOut: async () => {
      const folder = join(cacheFolder, "documentation");
      await writeDocsDataset(root, folder, signal);
      return folder;
    },
  };
}

function worldSets(world: World, { cacheFolder, signal }: SetsOptions): QualitySet[] {
  const { seed, chunks, questions, limit } = world;
  const size = `${chunks.toLocaleString("en-US")} chunks of 512 tokens, seed ${seed}`;
  const layOut = async (): Promise<string> => {
    const folder = join(cacheFolder, `world-${seed}-${chunks}-${questions ?? "default"}-v${WORLD_VERSION}`);
    if (!existsSync(join(folder, "queries.jsonl"))) {
      await rm(folder, { recursive: true, force: true });
      await writeWorld({ folder, chunks, seed, signal, ...(questions && { questions }) });
    }
    return folder;
  };
  return [
    { name: `world-${seed}`, kind: "world", title: `Synthetic world (${size})`, limit, layOut },
    {
      name: `world-${seed}-single-hop`,
      kind: "world",
      title: `Synthetic world, one document answers (${size})`,
      limit,
      layOut: async () => join(await layOut(), "single-hop"),
    },
  ];
}

/** The sets of `names`, in their order; all of them for undefined. */
export function chosenSets(sets: readonly QualitySet[], names: string | undefined): readonly QualitySet[] {
  if (names === undefined) return sets;
  const known = sets.map(({ name }) => name);
  return names.split(",").map((name) => {
    const found = sets.find((set) => set.name === name);
    if (found === undefined) throw new Error(`There is no set "${name}"; sets: ${known.join(", ")}.`);
    return found;
  });
}

/** Digest of all that a set's folder holds for an evaluation; what was measured on other content is not used again. */
export async function contentDigest(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const files = ["corpus.jsonl", "queries.jsonl", "qrels.tsv", join("qrels", "test.tsv"), join("..", "corpus.jsonl")];
  for (const name of files) {
    const path = join(folder, name);
    // A folder that has a corpus does not take that of the folder above.
    if (!existsSync(path) || (name.startsWith("..") && (await readdir(folder)).includes("corpus.jsonl"))) continue;
    hash.update(name);
    for await (const part of createReadStream(path)) hash.update(part as Buffer);
  }
  return hash.digest("hex").slice(0, 12);
}
