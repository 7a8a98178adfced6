/** The agent: give it a policy, a profile and corpora, and it runs. Public surface of `winnow-search/agent`. */

export type {
  ChatAnswer,
  ChatCall,
  ChatMessage,
  ChatModel,
  ChatOptions,
  ChatRequest,
  ChatState,
  ChatTool,
} from "../models/chat/chat-model.ts";
export { PromptTooLongError } from "../models/chat/chat-model.ts";
export type { ChatKind, ChatModelOptions, ReasoningLevel } from "../models/chat/endpoint.ts";
export { openChatModel } from "../models/chat/open-chat-model.ts";
export type { ModelUsage, Price } from "../models/chat/prices.ts";
export type {
  CompletionAnswer,
  CompletionModel,
  CompletionOptions,
  CompletionRequest,
} from "../models/completions/completion-model.ts";
export { type CompletionModelOptions, openCompletionModel } from "../models/completions/open-completion-model.ts";
export type { DecisionTokens } from "./decision-tokens.ts";
export { chatPolicy } from "./policies/chat-model/chat-policy.ts";
export { type HarmonyPolicyOptions, harmonyPolicy } from "./policies/harmony/harmony-policy.ts";
export { replayPolicy } from "./policies/replay.ts";
export { rulesPolicy } from "./policies/rules/rules.ts";
export { type ScriptStep, scriptedPolicy } from "./policies/scripted.ts";
export type { DecideOptions, Decision, Policy, ProposedCall, View } from "./policy.ts";
export { ContextLengthError } from "./policy.ts";
export type { BudgetNumbers, Profile, RetrievalSettings, ToolName } from "./profiles/profile.ts";
export { profileByName, profileNames } from "./profiles/profiles.ts";
export type { ResultDocument, SearchResult } from "./result.ts";
export {
  ROLLOUTS_MAX,
  type RolloutsEvent,
  type RolloutsOptions,
  type RolloutsRun,
  startRollouts,
} from "./rollouts.ts";
export { type Run, type RunEvent, type RunLimits, type RunOptions, startRun } from "./run.ts";
