import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { editedJson, editFile } from "../config/write-file.ts";
import { WinnowError } from "../core/errors.ts";
import { didYouMean } from "../core/suggest.ts";
import { MCP_CLIENTS, type McpClient, type McpCommand, SERVER_NAME } from "./mcp-clients/entries.ts";
import { tomlTable, withTomlTable } from "./mcp-clients/toml-table.ts";

/** What teaches a coding agent when to ask and how to cite. */
const SKILL_ADDRESS = new URL("../../skills/winnow/SKILL.md", import.meta.url);

/** Names that `winnow mcp install` takes. */
export const mcpClientNames: readonly string[] = MCP_CLIENTS.map(({ name }) => name);

export interface McpInstallOptions {
  readonly client: string;
  /** For all projects of the user; false: for the one in `folder`. */
  readonly user: boolean;
  readonly folder: string;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly command: McpCommand;
}

export interface McpInstallation {
  readonly client: string;
  readonly title: string;
  readonly file: string;
  /** What the file has to hold, in its own form. */
  readonly entry: string;
  /** True where the file holds exactly that already. */
  readonly isThere: boolean;
  /** Where the skill belongs, and what it says; undefined where the client's place for skills is not known. */
  readonly skill?: { readonly file: string; readonly text: string };
  /** Puts the skill there, replacing an older one. */
  writeSkill(): Promise<void>;
  /** Puts it there; everything else in the file stays as it is written. Rejects with `invalid_config`. */
  write(): Promise<void>;
}

/** What would be written where. Rejects with `invalid_argument` for an unknown client, or one that knows no projects. */
export async function planMcpInstall(options: McpInstallOptions): Promise<McpInstallation> {
  const client = MCP_CLIENTS.find(({ name }) => name === options.client);
  if (client === undefined) {
    const { client: given } = options;
    throw new WinnowError("invalid_argument", `There is no client "${given}".${didYouMean(given, mcpClientNames)}`, {
      hint: `Clients: ${mcpClientNames.join(", ")}. Any other one is given the command: winnow mcp`,
    });
  }
  const file = fileOf(client, options);
  const edit = (before: string | undefined): string => edited(client, options.command, before, file);
  const before = await readFile(file, "utf8").catch(() => undefined);
  const skill = await skillOf(client, options);
  return {
    client: client.name,
    title: client.title,
    file,
    entry: entryText(client, options.command),
    isThere: before !== undefined && isSame(edit, before),
    write: () => editFile(file, edit),
    ...(skill === undefined ? {} : { skill }),
    writeSkill: async () => {
      if (skill === undefined) {
        throw new WinnowError("invalid_argument", `Where ${client.title} looks for skills is not known.`, {
          hint: `Copy it there yourself: ${fileURLToPath(SKILL_ADDRESS)}`,
        });
      }
      await editFile(skill.file, () => skill.text);
    },
  };
}

async function skillOf({ skillsFolder }: McpClient, { user, home, folder }: McpInstallOptions) {
  if (skillsFolder === undefined) return undefined;
  const file = join(user ? home : folder, skillsFolder, SERVER_NAME, "SKILL.md");
  return { file, text: await readFile(SKILL_ADDRESS, "utf8") };
}

function fileOf(client: McpClient, { user, folder, home, platform }: McpInstallOptions): string {
  if (user) return client.userFile(home, platform);
  if (client.projectFile !== undefined) return join(folder, client.projectFile);
  throw new WinnowError("invalid_argument", `${client.title} has no settings for a single project.`, {
    hint: `Install it for all of yours: winnow mcp install ${client.name} --user`,
  });
}

function edited(client: McpClient, command: McpCommand, before: string | undefined, file: string): string {
  const [first = "", ...rest] = client.keys;
  if (client.format === "toml")
    return withTomlTable(before ?? "", [...client.keys, SERVER_NAME], client.entry(command));
  return editedJson(before, [first, ...rest, SERVER_NAME], client.entry(command), file);
}

/** A file that cannot be edited is told about when it is written. */
function isSame(edit: (before: string) => string, before: string): boolean {
  try {
    return edit(before) === before;
  } catch {
    return false;
  }
}

function entryText(client: McpClient, command: McpCommand): string {
  const entry = client.entry(command);
  if (client.format === "toml") return tomlTable([...client.keys, SERVER_NAME], entry);
  const whole = [...client.keys, SERVER_NAME].reduceRight<unknown>((inner, key) => ({ [key]: inner }), entry);
  return JSON.stringify(whole, null, 2);
}
