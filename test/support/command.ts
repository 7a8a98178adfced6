import { spawn } from "node:child_process";

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sends this signal a moment after `once` has come true. */
  readonly kill?: { readonly signal: NodeJS.Signals; readonly once: () => boolean };
}

const LOOK_MS = 50;
/** So that the signal does not only meet the first moment. */
const MOMENT_MS = 200;

/** Runs the packed command with an empty home and no terminal. */
export function runCommand(cli: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: options.cwd,
      env: { PATH: process.env["PATH"] ?? "", HOME: options.home, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      stdout += part;
    });
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      stderr += part;
    });
    const { kill } = options;
    const timer = setInterval(() => {
      if (kill?.once() !== true) return;
      clearInterval(timer);
      setTimeout(() => child.kill(kill.signal), MOMENT_MS);
    }, LOOK_MS);
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(timer);
      resolve({ code, stdout, stderr });
    });
  });
}
