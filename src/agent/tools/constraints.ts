import { oneLine } from "../../core/text.ts";

/** What is known of one thing that the question asks. */
export const CONSTRAINT_STATUSES = ["open", "supported", "contradicted", "missing"] as const;
export type ConstraintStatus = (typeof CONSTRAINT_STATUSES)[number];

/** One thing that the question asks of its answer, as the policy put it. */
export interface Constraint {
  readonly constraint: string;
  readonly status: ConstraintStatus;
  /** Ids as the policy wrote them; nobody has checked them. */
  readonly ids: readonly string[];
}

const CONSTRAINTS_MAX = 24;
const CONSTRAINT_UNITS_MAX = 200;
const IDS_MAX = 8;
const ID_UNITS_MAX = 40;

/** Reads a list of constraints as a policy wrote it: a text alone is an open one, an unknown status means open. */
export function readConstraints(value: unknown): readonly Constraint[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap(readOne).slice(0, CONSTRAINTS_MAX);
}

function readOne(item: unknown): Constraint[] {
  const given = typeof item === "string" ? { constraint: item } : item;
  if (typeof given !== "object" || given === null) return [];
  const { constraint, status, ids } = given as Readonly<Record<string, unknown>>;
  const text = typeof constraint === "string" ? oneLine(constraint, CONSTRAINT_UNITS_MAX) : "";
  if (text === "") return [];
  const word = typeof status === "string" ? status.trim().toLowerCase() : "";
  const list = (Array.isArray(ids) ? ids : [ids]).filter((id): id is string => typeof id === "string");
  return [
    {
      constraint: text,
      status: CONSTRAINT_STATUSES.find((known) => known === word) ?? "open",
      ids: list.slice(0, IDS_MAX).map((id) => oneLine(id, ID_UNITS_MAX)),
    },
  ];
}
