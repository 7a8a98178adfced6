import type { Run, RunLimits } from "../agent/run.ts";
import { resolveDocumentIds } from "./resolve-document.ts";
import { searchCorpora } from "./search-corpora.ts";
import { sinceFilter } from "./since-filter.ts";
import type { Workspace } from "./workspace.ts";

/** What a caller may say of a search; everything else is the configuration's. */
export interface WorkspaceSearch {
  readonly question: string;
  /** Names of corpora; none: those that a command in the folder would use. */
  readonly corpora?: readonly string[] | undefined;
  /** Documents at most, 1 to 30. */
  readonly documents?: number | undefined;
  readonly where?: readonly string[] | undefined;
  /** ISO date, whole or in part. */
  readonly since?: string | undefined;
  /** Documents to leave out, and those that the caller has read already, by place or id. */
  readonly exclude?: readonly string[] | undefined;
  readonly known?: readonly string[] | undefined;
  /** One that the workspace lets callers name. */
  readonly policy?: string | undefined;
  readonly rollouts?: number | undefined;
  readonly limits?: RunLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts a run over a workspace, with its policy, profile and limits, recorded in its first corpus. Rejects before it
 * starts when an option cannot be used.
 */
export async function searchWorkspace(workspace: Workspace, search: WorkspaceSearch): Promise<Run> {
  const { settings, folder } = workspace;
  const corpora = await workspace.corpora(search.corpora);
  const [place] = await workspace.places();
  return searchCorpora({
    question: search.question,
    corpora,
    policy: () => workspace.policy(search.policy),
    profile: settings.profile,
    contextTokens: settings.contextTokens,
    rollouts: search.rollouts ?? 1,
    documentsMax: search.documents ?? settings.documents,
    where: [...(search.where ?? []), ...(search.since === undefined ? [] : [sinceFilter(search.since)])],
    exclude: await resolveDocumentIds(corpora, search.exclude ?? [], folder),
    known: await resolveDocumentIds(corpora, search.known ?? [], folder),
    limits: { turnsMax: settings.turns, timeoutMs: 1000 * settings.timeoutSeconds, ...search.limits },
    ...(search.signal === undefined ? {} : { signal: search.signal }),
    ...(place === undefined ? {} : { runsFolder: place.runsFolder }),
  });
}
