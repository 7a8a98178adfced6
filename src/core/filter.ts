/** One grammar of metadata filters for the command line, HTTP, MCP, tools and stores (design §4). */

export type FilterOperator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "contains";

/** One predicate. `values` has exactly one entry except for `in`. Kept as text; comparison decides the type. */
export interface Predicate {
  readonly key: string;
  readonly operator: FilterOperator;
  readonly values: readonly string[];
}

/** All predicates must hold. The empty filter accepts everything. */
export type Filter = readonly Predicate[];
