import { CommanderError } from "commander";
import { createOutput, type Output } from "./output.ts";
import { buildProgram } from "./program.ts";

/** Conventional status of a process ended by SIGINT. */
const INTERRUPTED = 130;

/** Time that a command has to end by itself after a signal, unless it asks for more. */
const GRACE_MS = 5_000;

const controller = new AbortController();
let interrupts = 0;
let graceMs = GRACE_MS;
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    interrupts++;
    if (interrupts > 1) process.exit(INTERRUPTED);
    controller.abort();
    // Work that does not look at the signal is ended all the same.
    setTimeout(() => process.exit(INTERRUPTED), graceMs).unref();
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
    onGrace: (ms) => {
      graceMs = Math.max(GRACE_MS, ms);
    },
  }).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = given.output.fail(error, controller.signal.aborted);
}
