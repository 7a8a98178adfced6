import { CommanderError } from "commander";
import { createOutput, type Output } from "./output.ts";
import { buildProgram } from "./program.ts";

/** Conventional status of a process ended by SIGINT. */
const INTERRUPTED = 130;

/** Time that a command has to end by itself after a signal. */
const GRACE_MS = 5_000;

const controller = new AbortController();
let interrupts = 0;
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    interrupts++;
    if (interrupts > 1) process.exit(INTERRUPTED);
    controller.abort();
    // Work that does not look at the signal is ended all the same.
    setTimeout(() => process.exit(INTERRUPTED), GRACE_MS).unref();
  });
}
// A reader such as `head` may close the pipe early; that is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? (process.exitCode ?? 0) : 1);
});
// Talk that nobody listens to must not cost the result.
process.stderr.on("error", () => {});

const given: { output: Output } = { output: createOutput({}) };
try {
  await buildProgram({
    signal: controller.signal,
    onOutput: (output) => {
      given.output = output;
    },
  }).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = given.output.fail(error, controller.signal.aborted);
}
