/** What a corpus is to its owner, whatever its name: decides what is said about its documents, and what is asked of it. */
export const ROLES = ["documents", "changelog", "sessions", "traces", "other"] as const;

export type Role = (typeof ROLES)[number];
