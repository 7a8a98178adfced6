// The rule by which the labelled questions over the documentation are halved, made before anything was tuned on them.
import { createHash } from "node:crypto";

export interface Half {
  readonly queries: string[];
  readonly labels: string[];
}

/**
 * Halves the questions by the last bit of the SHA-256 of their ids: a question keeps its half whatever is added, and
 * nobody chose it. Even is `dev`, to tune on; odd is `held-out`.
 */
export function splitQuestions(
  queries: readonly string[],
  labels: readonly string[],
): Record<"dev" | "held-out", Half> {
  const halves = { dev: { queries: [], labels: [] }, "held-out": { queries: [], labels: [] } } as Record<
    "dev" | "held-out",
    Half
  >;
  for (const line of queries) halves[halfOf((JSON.parse(line) as { _id: string })._id)].queries.push(line);
  for (const line of labels) halves[halfOf(line.split("\t")[0] ?? "")].labels.push(line);
  return halves;
}

function halfOf(id: string): "dev" | "held-out" {
  const hash = createHash("sha256").update(id).digest();
  return (hash.at(-1) ?? 0) % 2 === 0 ? "dev" : "held-out";
}
