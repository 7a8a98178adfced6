import type { Source } from "../../sources/source.ts";
import type { SourceScope } from "./parts.ts";

/** The source of a type, its code loaded now. */
export async function createSource({ type, projectFolder, unit, ...scope }: SourceScope): Promise<Source> {
  const ofProject = { ...scope, ...(projectFolder !== undefined && { projectFolder }) };
  switch (type) {
    case "files":
      return (await import("../../sources/files/files-source.ts")).createFilesSource(scope);
    case "changelog":
      return (await import("../../sources/changelog/changelog-source.ts")).createChangelogSource(scope);
    case "claude-sessions":
      return (await import("../../sources/claude-sessions/claude-sessions-source.ts")).createClaudeSessionsSource({
        ...ofProject,
        ...(unit !== undefined && { unit }),
      });
    case "tool-traces":
      return (await import("../../sources/tool-traces/tool-traces-source.ts")).createToolTracesSource(ofProject);
  }
}
