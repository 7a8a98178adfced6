import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { WinnowError } from "../../core/errors.ts";
import { plural } from "../../core/text.ts";
import type { SourceDocument } from "../../core/types.ts";
import { type Confinement, confineTo } from "../files/confinement.ts";
import { skippedBySystem } from "../files/file-error.ts";
import { type FileSystem, nodeFileSystem } from "../files/file-system.ts";
import { createFilesSource } from "../files/files-source.ts";
import { keyOf } from "../files/paths.ts";
import { hashFile, scanFile } from "../files/read-bytes.ts";
import { notAFile, tooLarge } from "../files/roots.ts";
import { Redactor } from "../redaction/redactor.ts";
import type { Listed, ReadOutcome, Skipped, Source, SourceItem } from "../source.ts";
import { TRANSCRIPT_LIMITS, type TranscriptLimits } from "./limits.ts";
import { LineSplitter } from "./line-splitter.ts";
import { isOfProject } from "./project.ts";
import { readRecord, type TranscriptRecord } from "./record.ts";
import { shownKey } from "./shown-key.ts";

export interface TranscriptOptions {
  /** Absolute paths of transcripts or of folders that hold them, such as `~/.claude/projects`. */
  readonly roots: readonly string[];
  /** Absolute path of the corpus root, which keys are relative to. */
  readonly base: string;
  /**
   * Only sessions that began in this folder or below are read, others skipped as `outside_root`: two projects whose paths
   * differ by a dash share one folder of transcripts. Default: everything below the roots.
   */
  readonly projectFolder?: string;
  readonly limits?: Partial<TranscriptLimits>;
  /** Default: the real one. */
  readonly fileSystem?: FileSystem;
  /** As of the files source. */
  readonly onFolder?: (path: string) => void;
}

/** What a collector may use of the file it reads. */
export interface TranscriptFile {
  readonly key: string;
  readonly mtimeMs: number;
  readonly limits: TranscriptLimits;
  readonly redactor: Redactor;
}

/** Makes documents of the records of one transcript. Every text in them has passed through the file's redactor. */
export interface Collector {
  add(record: TranscriptRecord): void;
  end(): { readonly documents: readonly SourceDocument[]; readonly notes: readonly string[] };
}

export interface TranscriptKind {
  readonly type: string;
  /** Changes whenever the same bytes would give other documents: forms, limits, what is redacted. */
  readonly version: string;
  collect(file: TranscriptFile): Collector;
}

/** Raised when redaction learns something, so that transcripts indexed before are read again once they change. */
const REDACTION_VERSION = 2;
const TRANSCRIPT_NAME = /\.jsonl$/i;
const HASH_DIGITS = 32;
const LINES_NAMED_MAX = 10;
const FOREIGN_SESSION =
  "Its session did not begin in the folder of this project, but in one that shares its transcripts.";

/**
 * Claude Code's transcripts as a source: one item a file, read line by line. Folders, links, ignore files and the marker
 * that opts a folder out are treated as by the files source; files of other names are passed over. Whatever cannot be
 * redacted is skipped as `unredactable`, never kept as it is.
 */
export function createTranscriptSource(kind: TranscriptKind, options: TranscriptOptions): Source {
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  const limits = { ...TRANSCRIPT_LIMITS, ...options.limits };
  const { roots, base, projectFolder, onFolder } = options;
  const files = createFilesSource({
    roots,
    base,
    fileSystem,
    limits: { fileBytesMax: limits.fileBytesMax },
    ...(onFolder && { onFolder }),
  });
  const confinement = confineTo(fileSystem, roots);
  const salted = (hash: string): string => {
    const parts = [hash, kind.type, kind.version, REDACTION_VERSION, JSON.stringify(limits), projectFolder ?? ""];
    return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, HASH_DIGITS);
  };
  const named = new Set(roots.map((root) => keyOf(resolve(base), resolve(root))));
  return {
    type: kind.type,
    list: (signal) => listTranscripts(files, named, signal),
    async hash(item, signal) {
      if ((await confinement.check(item)) !== undefined) return undefined;
      const hash = await hashFile(fileSystem, item.location, limits.fileBytesMax, signal);
      return hash === undefined ? undefined : salted(hash);
    },
    read: (item, signal) =>
      readTranscript(item, { kind, fileSystem, limits, confinement, projectFolder, salted }, signal),
  };
}

async function* listTranscripts(
  files: Source,
  named: ReadonlySet<string>,
  signal: AbortSignal,
): AsyncGenerator<Listed> {
  for await (const found of files.list(signal)) {
    const raw = "item" in found ? found.item.key : found.skipped.key;
    const key = shownKey(raw, named);
    const listed = "item" in found ? { item: { ...found.item, key } } : { skipped: { ...found.skipped, key } };
    if (TRANSCRIPT_NAME.test(raw)) yield listed;
    else if ("item" in listed && named.has(raw)) {
      yield { skipped: { key, reason: "unsupported_type", detail: "A transcript's name ends in .jsonl." } };
    } else if ("skipped" in listed && (named.has(raw) || raw.endsWith("/") || listed.skipped.reason === "malformed")) {
      yield listed;
    }
  }
}

interface Reader {
  readonly kind: TranscriptKind;
  readonly fileSystem: FileSystem;
  readonly limits: TranscriptLimits;
  readonly confinement: Confinement;
  readonly projectFolder: string | undefined;
  salted(hash: string): string;
}

async function readTranscript(item: SourceItem, reader: Reader, signal: AbortSignal): Promise<ReadOutcome> {
  signal.throwIfAborted();
  const { key } = item;
  const { limits, fileSystem, projectFolder } = reader;
  const outside = await reader.confinement.check(item);
  if (outside !== undefined) return { skipped: outside };
  const lines = new RecordLines({ ...item, limits, redactor: new Redactor(limits.redactionUnitsMax) }, reader.kind);
  const splitter = new LineSplitter(lines, limits.lineBytesMax);
  const scanned = await scanFile(fileSystem, item.location, limits.fileBytesMax, (part) => splitter.push(part), signal);
  if ("error" in scanned) return { skipped: skippedBySystem(key, scanned.error) };
  if ("notAFile" in scanned) return { skipped: notAFile(key) };
  if ("tooLarge" in scanned) return { skipped: tooLarge(key, scanned.tooLarge, limits.fileBytesMax) };
  splitter.end();
  const hash = reader.salted(scanned.hash);
  const isChecked = projectFolder !== undefined && lines.records > 0;
  if (isChecked && !(await isOfProject(fileSystem, projectFolder, lines.cwd))) {
    return { skipped: { key, reason: "outside_root", detail: FOREIGN_SESSION }, hash };
  }
  return lines.outcome(hash);
}

/** Lines to records to documents. What is thrown on the way ends it, and nothing of the file is kept. */
class RecordLines {
  readonly #file: TranscriptFile;
  readonly #collector: Collector;
  readonly #damaged: number[] = [];
  readonly #deep: number[] = [];
  readonly #tooLong: number[] = [];
  #records = 0;
  #cwd: string | undefined;
  #failure: string | undefined;

  constructor(file: TranscriptFile, kind: TranscriptKind) {
    this.#file = file;
    this.#collector = kind.collect(file);
  }

  get records(): number {
    return this.#records;
  }

  /** Where the session began. */
  get cwd(): string | undefined {
    return this.#cwd;
  }

  line(text: string, number: number, complete: boolean): void {
    if (this.#failure !== undefined) return;
    const record = readRecord(text, this.#file.limits.jsonDepthMax);
    if (record === undefined) return;
    if (record === "deep") this.#deep.push(number);
    else if (record !== "damaged") {
      this.#records++;
      this.#cwd ??= record.cwd;
      this.#guarded(() => this.#collector.add(record));
      // The last line may still be being written; what it holds comes with the next reading.
    } else if (complete) this.#damaged.push(number);
  }

  tooLong(number: number): void {
    this.#tooLong.push(number);
  }

  outcome(hash: string): ReadOutcome {
    const { key, redactor } = this.#file;
    let collected: ReturnType<Collector["end"]> = { documents: [], notes: [] };
    this.#guarded(() => {
      collected = this.#collector.end();
    });
    if (this.#failure !== undefined) {
      return { skipped: { key, reason: "unredactable", detail: this.#failure }, hash };
    }
    const left = [
      ...lineNote(this.#damaged, "damaged line"),
      ...lineNote(this.#deep, "line nested too deeply"),
      ...lineNote(this.#tooLong, "line over the limit"),
    ];
    if (collected.documents.length === 0) return { skipped: this.#nothing(left), hash };
    const redacted = redactor.found();
    return {
      documents: collected.documents,
      hash,
      notes: [...left, ...collected.notes],
      ...(redacted && { redacted }),
    };
  }

  #nothing(left: readonly string[]): Skipped {
    const { key } = this.#file;
    const broken = this.#records === 0 && this.#damaged.length + this.#tooLong.length > 0;
    if (broken) return { key, reason: "malformed", detail: "No line of it is a record of a transcript." };
    const reason = this.#deep.length > 0 && this.#records === 0 ? "too_deep" : "empty";
    return { key, reason, detail: ["Nothing is said in it.", ...left].join(" ") };
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      // The message of an error that is not ours might quote what it failed on.
      this.#failure = WinnowError.isInstance(error) ? error.message : "It could not be redacted.";
    }
  }
}

function lineNote(numbers: readonly number[], noun: string): string[] {
  if (numbers.length === 0) return [];
  const named = numbers.slice(0, LINES_NAMED_MAX).join(", ");
  const many = noun.replace(/^(.*\bline)/, "$1s");
  return [`Left out ${plural(numbers.length, noun, many)}: ${named}${numbers.length > LINES_NAMED_MAX ? ", …" : ""}.`];
}
