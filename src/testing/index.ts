/**
 * Doubles for tests of programs that use Winnow: no disk, no model, no vocabulary. Public surface of
 * `winnow-search/testing`.
 */
export { scriptedPolicy } from "../agent/policies/scripted.ts";
export { memoryCorpus } from "./memory-corpus.ts";
export { memoryStore } from "./memory-store.ts";
export { wordCounter } from "./word-counter.ts";
