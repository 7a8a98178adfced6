/**
 * Doubles for tests of programs that use Winnow: no disk, no model, no vocabulary, and a model server that plays a
 * script. Public surface of `winnow-search/testing`.
 */
export { scriptedPolicy } from "../agent/policies/scripted.ts";
export { memoryCorpus } from "./memory-corpus.ts";
export { memoryStore } from "./memory-store.ts";
export {
  startWireServer,
  type WireAnswer,
  type WireRefusal,
  type WireReply,
  type WireRequest,
  type WireScript,
  type WireServer,
  type WireServerOptions,
} from "./wire-server.ts";
export { wordCounter } from "./word-counter.ts";
