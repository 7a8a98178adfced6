import { WinnowError } from "../core/errors.ts";
import { DATE_HINT, parseDateRange } from "../core/filter-date.ts";
import { formatFilter } from "../core/filter-parse.ts";
import { oneLine } from "../core/text.ts";

/** The filter that `--since DATE` stands for. Throws `invalid_argument` for what is not an ISO date or a part of one. */
export function sinceFilter(date: string): string {
  const text = date.trim();
  if (parseDateRange(text) === undefined) {
    throw new WinnowError("invalid_argument", `"${oneLine(date, 60)}" is not a date.`, { hint: DATE_HINT });
  }
  return formatFilter([{ key: "modified", operator: ">=", values: [text] }]);
}
