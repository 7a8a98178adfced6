import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TS_SPECIFIER = /((?:from|import\(|import)\s*)"(\.{1,2}\/[^"]+)\.ts"/g;

/** @param {string} root @param {string} out @returns {Promise<void>} */
function runCompiler(root, out) {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const child = spawn(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", out], { cwd: root });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      said += data;
    });
  }
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => (code === 0 ? done() : fail(new Error(`declarations failed:\n${said}`))));
  });
}

/**
 * Emits the declarations of src/ into `out`. The compiler leaves `.ts` in their specifiers; older compilers of our users
 * want the name of the file that exists.
 * @param {string} root @param {string} out
 */
export async function emitTypes(root, out) {
  await runCompiler(root, out);
  const files = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".d.ts"));
  for (const file of files) {
    const path = join(out, file);
    writeFileSync(path, readFileSync(path, "utf8").replace(TS_SPECIFIER, '$1"$2.js"'));
  }
}
