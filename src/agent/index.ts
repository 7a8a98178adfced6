/** The agent: give it a policy, a profile and corpora, and it runs. Public surface of `winnow-search/agent`. */

export { replayPolicy } from "./policies/replay.ts";
export { rulesPolicy } from "./policies/rules/rules.ts";
export { type ScriptStep, scriptedPolicy } from "./policies/scripted.ts";
export type { DecideOptions, Decision, Policy, ProposedCall, View } from "./policy.ts";
export { ContextLengthError } from "./policy.ts";
export type { BudgetNumbers, Profile, RetrievalSettings, ToolName } from "./profiles/profile.ts";
export { profileByName, profileNames } from "./profiles/profiles.ts";
export type { ResultDocument, SearchResult } from "./result.ts";
export { type Run, type RunEvent, type RunLimits, type RunOptions, startRun } from "./run.ts";
