import { dirname, join } from "node:path";
import { type Config, findProjectFile, PROJECT_FILE } from "../config/config.ts";
import { isAttachedName } from "../config/corpora.ts";
import { leaveOf } from "../config/leave.ts";
import { writeCorpusEntry } from "../config/write-corpus.ts";
import { WinnowError } from "../core/errors.ts";
import { parseObjectAddress } from "../core/object-address.ts";
import { placesWithoutLeave } from "./indexing/leave.ts";
import { writeLeave } from "./indexing/write-leave.ts";
import { publishedMirror } from "./publishing/published-place.ts";

export interface AttachPublishedOptions {
  readonly address: string;
  /** Default the last part of the address. */
  readonly name?: string | undefined;
  readonly dryRun: boolean;
  readonly workingFolder: string;
  readonly settings: Config["settings"];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface AttachedIndex {
  readonly schema: "attach-published/1";
  readonly name: string;
  readonly address: string;
  readonly documents: number;
  readonly generation: number;
  /** Configuration file that names it. */
  readonly file: string;
  readonly written: boolean;
  /** The user agreed with this to have the address read for the folder, and had not before. */
  readonly granted: boolean;
}

/**
 * Fetches what is published at an address, names it in the project's file, and notes in the user's own file the leave that
 * this takes. Rejects as opening it does; then nothing is written.
 */
export async function attachPublished(options: AttachPublishedOptions): Promise<AttachedIndex> {
  const { settings, workingFolder, environment, dryRun, signal } = options;
  const { text: address, bucket, prefix } = parseObjectAddress(options.address);
  const name = options.name ?? (prefix.split("/").at(-1) || bucket);
  checkName(name, address, settings.corpora);
  const mirror = await publishedMirror({ address, mirrorGigabytes: settings.mirrorGigabytes }, environment);
  const { manifest } = (await mirror.sync({ signal })).publication;
  const file = (await findProjectFile(workingFolder)) ?? join(workingFolder, PROJECT_FILE);
  const folder = dirname(file);
  const before = leaveOf(settings.mayRead, folder);
  const granted = (await placesWithoutLeave({ folder, granted: before }, [address])).length > 0;
  if (!dryRun) {
    if (granted) await writeLeave(folder, [...before, address], environment);
    await writeCorpusEntry(file, name, address);
  }
  const { documents, generation } = manifest;
  return { schema: "attach-published/1", name, address, documents, generation, file, written: !dryRun, granted };
}

function checkName(name: string, address: string, known: Config["settings"]["corpora"]): void {
  if (!isAttachedName(name)) {
    throw new WinnowError("invalid_argument", `"${name}" cannot name a corpus.`, {
      hint: "Use letters, digits, dots, dashes and underscores: --name NAME",
    });
  }
  const held = Object.hasOwn(known, name) ? known[name] : undefined;
  if (held === undefined || (held.kind === "published" && held.address === address)) return;
  throw new WinnowError("invalid_argument", `There is another corpus called ${name}.`, {
    hint: "Choose another name with --name.",
  });
}
