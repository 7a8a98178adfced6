/** A SQL string literal. Lance's dialect knows no escape but the doubled quote. */
export function sqlString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `column IN (…)`; false for every row when the list is empty. */
export function sqlIn(column: string, values: Iterable<string>): string {
  const list = [...values].map(sqlString).join(",");
  return list === "" ? "false" : `${column} IN (${list})`;
}

/** All conditions joined by AND, or undefined when there is none. */
export function sqlAnd(conditions: readonly (string | undefined)[]): string | undefined {
  const present = conditions.filter((condition) => condition !== undefined);
  return present.length === 0 ? undefined : present.join(" AND ");
}
