import { describe, expect, it, test } from "vitest";
import { profileByName, resolveProfileName } from "./profiles.ts";

describe("auto", () => {
  it.each([
    ["harmony:chromadb/context-1", "context-1-report"],
    ["harmony:anything", "context-1-report"],
    ["openai-compatible:chromadb/context-1", "context-1-report"],
    ["openai-compatible:/models/Context-1", "context-1-report"],
    ["ollama:hf.co/somebody/Chroma-CONTEXT-1-GGUF:Q4_K_M", "context-1-report"],
    ["openai-compatible:context-1_mxfp4", "context-1-report"],
    ["openai-compatible:context-1/llama-3", "chat"],
    ["openai-compatible:llama-3-context-128k", "chat"],
    ["openai-compatible:long-context-1m", "chat"],
    ["ollama:qwen3:8b", "chat"],
    ["rules", "chat"],
    ["scripted:context-1", "chat"],
    ["replay:runs/context-1.jsonl", "chat"],
    ["find:hybrid", "chat"],
  ])("under %s is %s", (policy, expected) => {
    expect(resolveProfileName("auto", policy)).toBe(expected);
    expect(profileByName("auto", { policy }).name).toBe(expected);
  });

  it("gives way to a name that is given", () => {
    for (const name of ["chat", "context-1", "context-1-report"]) {
      expect(profileByName(name, { policy: "harmony:chromadb/context-1", model: "m" }).name).toBe(name);
      expect(profileByName(name, { policy: "rules" }).name).toBe(name);
    }
  });

  it("takes the form of chat that fits", () => {
    expect(profileByName("auto", { policy: "ollama:m", model: "m" }).tools).toContain("update_notes");
    expect(profileByName("auto", { policy: "rules", hasSessions: true }).tools).toContain("follow_metadata");
  });
});

test("an unknown name is refused with what there is", () => {
  expect(() => profileByName("autom")).toThrow(/no profile "autom".*"auto"/);
});
