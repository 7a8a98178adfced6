import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { VOCABULARY_SIZE } from "../models/harmony/special-tokens.ts";
import { tokenizerOf } from "./tokenizers.ts";

it("names the vocabulary that we encode with by its published hash", async () => {
  const { default: ranks } = await import("gpt-tokenizer/bpeRanks/o200k_base");
  const hash = createHash("sha256");
  for (const [id, token] of ranks.entries()) {
    if (token === undefined) continue;
    const bytes = typeof token === "string" ? Buffer.from(token, "utf8") : Uint8Array.from(token);
    hash.update(`${Buffer.from(bytes).toString("base64")} ${id}\n`);
  }
  const tokenizer = tokenizerOf("harmony/1");
  expect(tokenizer?.sha256).toBe(hash.digest("hex"));
  expect(tokenizer?.vocabularySize).toBe(VOCABULARY_SIZE);
  expect(tokenizerOf("qwen/1")).toBeUndefined();
});
