/** Types of sources that a corpus can be made of. */
export const SOURCES = ["files", "changelog", "claude-sessions", "tool-traces"] as const;
export type SourceType = (typeof SOURCES)[number];

/** What a document of `claude-sessions` is: a whole session, or a message of the user with all that answers it. */
export const SESSION_UNITS = ["session", "turn"] as const;
export type SessionUnit = (typeof SESSION_UNITS)[number];

/** What agents saw and did: indexed only where the user agreed. */
const PRIVATE_SOURCES: ReadonlySet<string> = new Set(["claude-sessions", "tool-traces"]);

export function isPrivateSource(source: string): boolean {
  return PRIVATE_SOURCES.has(source);
}
