// Completes package-lock.json: `node scripts/complete-lock.mjs`, after every `npm install PACKAGE`.
//
// npm records an optional package only if the registry that it asked offers it, and refuses `npm ci` for a lock that
// lacks one. Mirrors often lack the binaries of other platforms. What is missing is added here with the exact version
// that its parent names, so that the same lock installs on every platform.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findMissingOptional } from "./check/lock.mjs";

const path = join(dirname(dirname(fileURLToPath(import.meta.url))), "package-lock.json");
const OPERATING_SYSTEMS = /\b(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)\b/;
const PROCESSORS = /\b(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|wasm32|x64)\b/;

/** What a binary's name says about where it runs. @param {string} name */
function platformOf(name) {
  const os = OPERATING_SYSTEMS.exec(name)?.[1];
  const cpu = PROCESSORS.exec(name)?.[1];
  const libc = os !== "linux" ? undefined : /musl/.test(name) ? "musl" : /gnu/.test(name) ? "glibc" : undefined;
  if (os === undefined && cpu !== "wasm32") throw new Error(`${name}: the name does not say where it runs.`);
  return { ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }), ...(os && { os: [os] }) };
}

const lock = JSON.parse(readFileSync(path, "utf8"));
const missing = findMissingOptional(lock);
for (const { name, version, dev } of missing) {
  if (!/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) throw new Error(`${name}: ${version} is not an exact version.`);
  lock.packages[`node_modules/${name}`] = { version, ...platformOf(name), ...(dev && { dev }), optional: true };
}
const [head, ...rest] = Object.entries(lock.packages);
if (head === undefined) throw new Error("package-lock.json is empty.");
lock.packages = Object.fromEntries([head, ...rest.sort(([a], [b]) => a.localeCompare(b, "en"))]);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.error(`lock: ${missing.length} added${missing.map(({ name }) => `\n  ${name}`).join("")}`);
