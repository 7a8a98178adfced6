import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod/mini";
import { systemErrorCode, WinnowError } from "../core/errors.ts";
import { didYouMean } from "../core/suggest.ts";
import { CORPUS_FORMS, type CorpusEntry, corpusSchema, entryProblem, readCorpora } from "./corpora.ts";

/** Name of the project file, looked for upwards from the working folder. Data only: nothing in it is ever run. */
export const PROJECT_FILE = "winnow.json";

const dollars = z.number().check(z.minimum(0), z.maximum(100_000));
/** US dollars per million tokens. */
const priceSchema = z.strictObject({
  input: dollars,
  output: dollars,
  cachedInput: z.optional(dollars),
  cacheWrite: z.optional(dollars),
});

const settingsSchema = z.strictObject({
  /** Named corpora: folders, relative to the file, and attached collections. */
  corpora: z.optional(z.record(z.string(), corpusSchema)),
  policy: z.optional(z.string()),
  profile: z.optional(z.string()),
  documents: z.optional(z.int().check(z.minimum(1), z.maximum(30))),
  contextTokens: z.optional(z.int().check(z.minimum(2_048), z.maximum(1_000_000))),
  turns: z.optional(z.int().check(z.minimum(1), z.maximum(1_000))),
  timeoutSeconds: z.optional(z.number().check(z.positive(), z.maximum(86_400))),
  /** Address of the server of `openai-compatible:` and `harmony:` policies. */
  baseUrl: z.optional(z.string()),
  /** Name of the environment variable with that server's key; never the key. */
  apiKeyEnv: z.optional(z.string().check(z.regex(/^(|[A-Za-z_][A-Za-z0-9_]*)$/, "must be the name of a variable"))),
  /** Time limit of one answer of a model. */
  requestSeconds: z.optional(z.number().check(z.positive(), z.maximum(3_600))),
  /** How much a model shall reason; empty: as it likes. */
  reasoning: z.optional(z.enum(["", "low", "medium", "high"])),
  /** By project folder: agent transcripts, paths outside of the folder, and addresses that the configuration there may have read. */
  mayRead: z.optional(z.record(z.string(), z.array(z.string()))),
  /** Room that published indexes may take up on this machine, all together; in units of 10^9 bytes. */
  mirrorGigabytes: z.optional(z.number().check(z.positive(), z.maximum(100_000))),
  /** Which records of runs `winnow gc` keeps; all, where neither is set. */
  retention: z.optional(
    z.strictObject({
      olderThanDays: z.optional(z.number().check(z.positive(), z.maximum(36_500))),
      keep: z.optional(z.int().check(z.minimum(0), z.maximum(1_000_000))),
    }),
  ),
  /** What models cost, keyed by `KIND:MODEL` or `MODEL`. */
  prices: z.optional(z.record(z.string(), priceSchema)),
});

export type Settings = z.infer<typeof settingsSchema>;
export type SettingName = keyof Settings;
type Complete = Readonly<Omit<{ [Name in SettingName]-?: NonNullable<Settings[Name]> }, "corpora">> & {
  readonly corpora: Readonly<Record<string, CorpusEntry>>;
};

/**
/**
 * Where questions, documents and keys are sent, what there is room for and which records are kept, is the user's
 * decision: a project file comes with a folder that somebody else may have made, and could send any variable of the
 * environment anywhere.
 */
const USER_ONLY: readonly SettingName[] = ["baseUrl", "apiKeyEnv", "mayRead", "mirrorGigabytes", "retention"];

const SETTING_NAMES = Object.keys(settingsSchema.shape) as SettingName[];

const DEFAULTS = {
  corpora: {},
  policy: "rules",
  /** The one that fits the policy. */
  profile: "auto",
  documents: 10,
  contextTokens: 32_768,
  turns: 64,
  timeoutSeconds: 600,
  baseUrl: "",
  apiKeyEnv: "",
  requestSeconds: 300,
  reasoning: "",
  mayRead: {},
  mirrorGigabytes: 20,
  retention: {},
  prices: {},
} as const satisfies Complete;

export interface Setting {
  readonly name: SettingName;
  readonly value: unknown;
  /** `default`, or the file that sets it. */
  readonly origin: string;
}

export interface Config {
  readonly settings: Complete;
  /** Every setting with where it comes from, for `winnow doctor`. */
  readonly origins: readonly Setting[];
}

/**
 * The effective configuration: project file over user file over defaults. Rejects with `invalid_config` on a file that
 * is not JSON, an unknown key (with a suggestion) or a value out of range. Keys and passwords have no setting: they come
 * from the environment.
 */
export async function loadConfig(
  workingFolder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Config> {
  const userFile = userConfigFile(environment);
  const files = [userFile, await findUpwards(workingFolder)];
  let settings: Complete = { ...DEFAULTS };
  const origins = new Map<SettingName, Setting>(
    SETTING_NAMES.map((name) => [name, { name, value: DEFAULTS[name], origin: "default" }]),
  );
  for (const file of files) {
    const read = file === undefined ? undefined : await readSettings(file);
    if (file === undefined || read === undefined) continue;
    for (const name of SETTING_NAMES) {
      if (read[name] !== undefined) origins.set(name, { name, value: read[name], origin: file });
    }
    if (file !== userFile) refuseUserOnly(read, file, userFile);
    const { corpora, prices, ...plain } = read;
    const user = { userFile, mayRead: settings.mayRead };
    settings = {
      ...settings,
      ...(plain as Partial<Complete>),
      prices: { ...settings.prices, ...prices },
      corpora: { ...settings.corpora, ...readCorpora(corpora ?? {}, file, file === userFile ? undefined : user) },
    };
  }
  return { settings, origins: [...origins.values()] };
}

function refuseUserOnly(settings: Settings, file: string, userFile: string): void {
  const name = USER_ONLY.find((one) => settings[one] !== undefined);
  if (name === undefined) return;
  throw new WinnowError(
    "invalid_config",
    `${file} may not set "${name}": a folder does not decide where data goes, what of yours is read or kept, or what there is room for.`,
    {
      hint: `Put it into ${userFile}, or give it on the command line.`,
    },
  );
}

/** The file of the user's own settings, which need not exist. */
export function userConfigFile(environment: Readonly<Record<string, string | undefined>>): string {
  return join(environment["XDG_CONFIG_HOME"] ?? join(homedir(), ".config"), "winnow", "config.json");
}

/** The project file that holds in a folder, looked for upwards; undefined where there is none. */
export function findProjectFile(workingFolder: string): Promise<string | undefined> {
  return findUpwards(workingFolder);
}

async function findUpwards(start: string): Promise<string | undefined> {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    const file = join(folder, PROJECT_FILE);
    if ((await readText(file)) !== undefined) return file;
    if (dirname(folder) === folder) return undefined;
  }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    // A pipe of that name would never answer.
    if (!(await stat(file)).isFile()) return undefined;
    return await readFile(file, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw new WinnowError("invalid_config", `${file} cannot be read.`, {
      hint: "Check its permissions.",
      cause: error,
    });
  }
}

/** An entry of `corpora` that is refused, with what its kind would have. */
function badEntry(file: string, name: string, settings: unknown): WinnowError {
  const { corpora = {} } = settings as { readonly corpora?: Readonly<Record<string, unknown>> };
  const problem = entryProblem(corpora[name]);
  const entry = `${file}: "corpora.${name}"`;
  if (problem === undefined) {
    return new WinnowError("invalid_config", `${entry} ${CORPUS_FORMS}.`, {
      hint: "docs/corpora.md has an example of each.",
    });
  }
  const { where, message, key, known } = problem;
  if (key !== undefined) {
    return new WinnowError("invalid_config", `${entry} has an unknown key "${key}".${didYouMean(key, known)}`, {
      hint: `It may have: ${known.join(", ")}. Keys and passwords come from the environment.`,
    });
  }
  return new WinnowError(
    "invalid_config",
    `${entry}${where === "" ? "" : `, "${where}"`}: ${message.replace(/\.$/, "")}.`,
    {
      hint: `It may have: ${known.join(", ")}.`,
    },
  );
}

async function readSettings(file: string): Promise<Settings | undefined> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "";
    throw new WinnowError("invalid_config", `${file} is not JSON: ${detail}.`, { hint: "Mend or remove the file." });
  }
  const parsed = settingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.path[0] === "corpora" && issue.path.length > 1) throw badEntry(file, String(issue.path[1]), value);
  if (issue?.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    if (issue.path.length > 0) {
      throw new WinnowError("invalid_config", `${file}: "${issue.path.join(".")}" has an unknown key "${key}".`, {
        hint: "Keys and passwords have no setting: they come from the environment.",
      });
    }
    throw new WinnowError("invalid_config", `${file} has an unknown key "${key}".${didYouMean(key, SETTING_NAMES)}`, {
      hint: `Known keys: ${SETTING_NAMES.join(", ")}.`,
    });
  }
  const where = issue?.path.join(".") ?? "";
  throw new WinnowError(
    "invalid_config",
    `${file}: ${where === "" ? "" : `"${where}" `}${issue?.message.replace(/\.$/, "") ?? "is not valid"}.`,
    {
      hint: "winnow doctor prints every setting with its value and origin.",
    },
  );
}
