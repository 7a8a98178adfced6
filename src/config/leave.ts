/** By project folder: what the configuration there may have read although it would need the user's leave. */
export type MayRead = Readonly<Record<string, readonly string[]>>;

/** What a project's file may have read besides what lies in its own folder. */
export interface ProjectLeave {
  /** Folder of the file. */
  readonly folder: string;
  /** Paths and addresses that the user agreed to. */
  readonly granted: readonly string[];
  /** Where the user agrees. */
  readonly userFile: string;
}

/** The leave that a folder has. It may be called `constructor`. */
export function leaveOf(mayRead: MayRead, projectFolder: string): readonly string[] {
  return Object.hasOwn(mayRead, projectFolder) ? (mayRead[projectFolder] ?? []) : [];
}
