import { join } from "node:path";

/** Name under which clients list us. */
export const SERVER_NAME = "winnow";

export interface McpCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface McpClient {
  readonly name: string;
  readonly title: string;
  /** Where its entry for one project stands, relative to the project's folder; undefined where it knows none. */
  readonly projectFile?: string;
  /** Where its entry for all projects stands. */
  userFile(home: string, platform: NodeJS.Platform): string;
  readonly format: "json" | "toml";
  /** Path of the object that holds the entries. */
  readonly keys: readonly string[];
  /** Where it looks for skills, from the project's folder or the user's home; undefined where that is not known. */
  readonly skillsFolder?: string;
  /** The entry as the client writes it. */
  entry(command: McpCommand): Readonly<Record<string, unknown>>;
}

const plain = ({ command, args }: McpCommand) => ({ command, args });
const typed = ({ command, args }: McpCommand) => ({ type: "stdio", command, args });

/** Folder for the settings of desktop programs. */
function settingsFolder(home: string, platform: NodeJS.Platform): string {
  if (platform === "darwin") return join(home, "Library", "Application Support");
  return platform === "win32" ? join(home, "AppData", "Roaming") : join(home, ".config");
}

/** Places and forms as each client documents them (November 2026). */
export const MCP_CLIENTS: readonly McpClient[] = [
  {
    name: "claude-code",
    title: "Claude Code",
    projectFile: ".mcp.json",
    userFile: (home) => join(home, ".claude.json"),
    skillsFolder: join(".claude", "skills"),
    format: "json",
    keys: ["mcpServers"],
    entry: typed,
  },
  {
    name: "claude-desktop",
    title: "Claude Desktop",
    userFile: (home, platform) => join(settingsFolder(home, platform), "Claude", "claude_desktop_config.json"),
    format: "json",
    keys: ["mcpServers"],
    entry: plain,
  },
  {
    name: "codex",
    title: "Codex",
    projectFile: join(".codex", "config.toml"),
    userFile: (home) => join(home, ".codex", "config.toml"),
    format: "toml",
    keys: ["mcp_servers"],
    entry: plain,
  },
  {
    name: "cursor",
    title: "Cursor",
    projectFile: join(".cursor", "mcp.json"),
    userFile: (home) => join(home, ".cursor", "mcp.json"),
    format: "json",
    keys: ["mcpServers"],
    entry: plain,
  },
  {
    name: "vscode",
    title: "VS Code",
    projectFile: join(".vscode", "mcp.json"),
    userFile: (home, platform) => join(settingsFolder(home, platform), "Code", "User", "mcp.json"),
    format: "json",
    keys: ["servers"],
    entry: typed,
  },
  {
    name: "gemini",
    title: "Gemini CLI",
    projectFile: join(".gemini", "settings.json"),
    userFile: (home) => join(home, ".gemini", "settings.json"),
    format: "json",
    keys: ["mcpServers"],
    entry: plain,
  },
];
