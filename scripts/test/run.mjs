import { spawn } from "node:child_process";

/**
 * Runs a script of Node's, showing what it says as it says it.
 * @param {string} cwd @param {readonly string[]} args @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ code: number, said: string }>}
 */
export function run(cwd, args, env) {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (data) => {
    said += data;
    process.stdout.write(data);
  });
  child.stderr.on("data", (data) => {
    said += data;
    process.stderr.write(data);
  });
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => done({ code: code ?? 1, said }));
  });
}
