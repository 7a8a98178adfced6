/** Numbers that bound what one file can cost. Every one can be lowered or raised by the caller. */
export interface FilesLimits {
  /** Bytes of one file; larger ones are skipped as `too_large`. */
  readonly fileBytesMax: number;
  /** Rows of one JSON, JSONL or CSV file; files with more are skipped as `too_many_rows`. */
  readonly fileRowsMax: number;
  /** Nesting of arrays and objects in JSON; deeper files are skipped as `too_deep`. */
  readonly jsonDepthMax: number;
  /** Nesting of elements in HTML; of deeper pages only the bare text is taken. */
  readonly htmlDepthMax: number;
  /** Bytes of one ignore file; larger ones are not applied. */
  readonly ignoreFileBytesMax: number;
  /** Files and skipped entries of one listing; more end it with `limit_exceeded`. */
  readonly entriesMax: number;
}

export const FILES_LIMITS: FilesLimits = {
  fileBytesMax: 50 * 1024 * 1024,
  fileRowsMax: 200_000,
  jsonDepthMax: 200,
  htmlDepthMax: 400,
  ignoreFileBytesMax: 256 * 1024,
  entriesMax: 2_000_000,
};
