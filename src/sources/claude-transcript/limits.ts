/** Numbers that bound what one transcript can cost. Every one can be lowered or raised by the caller. */
export interface TranscriptLimits {
  /** Bytes of one transcript; larger ones are skipped as `too_large`. */
  readonly fileBytesMax: number;
  /** Bytes of one line; longer ones are left out and counted. A line may carry pictures and whole files. */
  readonly lineBytesMax: number;
  /** Nesting of arrays and objects in a line; deeper ones are left out and counted. */
  readonly jsonDepthMax: number;
  /** UTF-16 units of one text that redaction looks through; a transcript with a longer one is skipped. */
  readonly redactionUnitsMax: number;
  /** Turns of one transcript; what follows is left out, and said so. */
  readonly turnsMax: number;
  /** Units of one message; of longer ones beginning and end are kept. */
  readonly messageUnitsMax: number;
  /** Units of all turns of one transcript together; what follows is left out, and said so. */
  readonly sessionUnitsMax: number;
  /** Calls of tools in one transcript; what follows is left out, and said so. */
  readonly callsMax: number;
  /** Units of one argument of a call; of longer ones beginning and end are kept. */
  readonly argumentUnitsMax: number;
  /** Units of what a tool gave back; of longer outputs beginning and end are kept. */
  readonly outputUnitsMax: number;
  /** The same for tools that read files: the file itself is the better place to look. */
  readonly fileReadUnitsMax: number;
}

export const TRANSCRIPT_LIMITS: TranscriptLimits = {
  fileBytesMax: 512 * 1024 * 1024,
  lineBytesMax: 32 * 1024 * 1024,
  jsonDepthMax: 200,
  redactionUnitsMax: 32 * 1024 * 1024,
  turnsMax: 5_000,
  messageUnitsMax: 40_000,
  sessionUnitsMax: 8_000_000,
  callsMax: 50_000,
  argumentUnitsMax: 2_000,
  outputUnitsMax: 4_000,
  fileReadUnitsMax: 1_500,
};
