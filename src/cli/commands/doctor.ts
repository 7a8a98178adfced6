import { doctor } from "../../features/doctor.ts";
import { fetchMiniLm } from "../../features/minilm-model.ts";
import type { CommandRun, CommandScope } from "../program.ts";
import { commandContext, policyAccessOf, textOption } from "../scope.ts";
import { inLine } from "../terminal-text.ts";

const SIGNS = { ok: ["green", "ok"], warn: ["yellow", "warn"], fail: ["red", "fail"] } as const;

export const run: CommandRun = async (_args, options, scope) => {
  const { config, corpusScope } = await commandContext(scope);
  if (options["downloadModel"] === true) await download(scope);
  const spec = textOption(options, "policy");
  const report = await doctor(config, corpusScope, {
    ...(spec !== undefined && { policy: { spec, access: policyAccessOf(options, config), signal: scope.signal } }),
    verify: options["verify"] === true,
    signal: scope.signal,
  });
  const { output } = scope;
  const failed = report.checks.some((check) => check.state === "fail");
  if (output.json) output.printJson(report);
  else {
    output.print(`winnow ${report.version}`);
    for (const { name, state, detail, hint } of report.checks) {
      const [style, word] = SIGNS[state];
      output.print(`${output.style(style, word.padEnd(5))} ${name.padEnd(12)} ${inLine(detail)}`);
      if (hint !== undefined) output.print(output.style("dim", `      ${" ".repeat(12)} ${inLine(hint)}`));
    }
    output.print("");
    for (const { name, value, origin, resolved } of report.settings) {
      const shown = resolved === undefined ? JSON.stringify(value) : `${JSON.stringify(value)}: ${inLine(resolved)}`;
      output.print(`${name.padEnd(16)} ${shown}  ${output.style("dim", inLine(origin))}`);
    }
  }
  return failed ? 1 : 0;
};

const MEBIBYTE = 2 ** 20;

async function download({ output, signal }: CommandScope): Promise<void> {
  const shown = (bytes: number) => (bytes / MEBIBYTE).toFixed(0);
  const folder = await fetchMiniLm({
    environment: process.env,
    signal,
    onProgress: (bytes, total) =>
      output.progress(`all-MiniLM-L6-v2: ${shown(bytes)}${total === undefined ? "" : ` of ${shown(total)}`} MiB`),
  });
  output.say(`all-MiniLM-L6-v2 is at ${folder}`);
}
