// Preloaded into a child process (`node --import`): numbers everything that the process is about to change on disk below
// one folder, and makes one of these points go wrong. What to do comes as JSON in WINNOW_FAULT, see `Fault` in program.ts.
import fs from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import path from "node:path";

/** @type {import("./program.ts").Fault} */
const fault = JSON.parse(process.env["WINNOW_FAULT"] ?? "{}");
const under = path.resolve(fault.under);
/** How long a native call goes on at most before the process dies in it. */
const INSIDE_MS_MAX = 8;
/** Files that this process has open for writing. @type {Map<number, string>} */
const openFiles = new Map();
let passed = 0;

/** @param {unknown} file */
const isWatched = (file) => {
  if (typeof file === "number") return openFiles.has(file);
  if (typeof file !== "string" && !(file instanceof URL) && !Buffer.isBuffer(file)) return false;
  const name = path.resolve(String(file));
  return name === under || name.startsWith(under + path.sep);
};

/** @param {unknown} flags */
const isWriting = (flags) => (typeof flags === "number" ? (flags & 3) !== 0 : /[wa+]/.test(String(flags ?? "r")));

/** @returns {never} */
function die() {
  process.kill(process.pid, "SIGKILL");
  // The signal may take a moment; nothing else happens in it.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
}

/** @param {string} code @param {string} call */
function systemError(code, call) {
  const said = code === "ENOSPC" ? "no space left on device" : "made to fail";
  return Object.assign(new Error(`${code}: ${said}, ${call}`), { code, syscall: call, errno: -1 });
}

/** Calls that give room back, and so succeed on a full disk. */
const FREEING = /^(rm|rmdir|unlink|truncate|ftruncate|rename|close|utimes)/;

/**
 * A point is reached: kills, throws, or lets the call go on. `half` does the first half of a write.
 * @param {string} call @param {(() => void) | undefined} [half]
 */
function point(call, half) {
  passed++;
  if (fault.trace === true) fs.writeSync(2, `${passed} ${call}\n`);
  const { at = Number.POSITIVE_INFINITY } = fault;
  if (fault.how === "kill" && passed === at) {
    half?.();
    die();
  }
  if (fault.how === "full" && passed >= at && !FREEING.test(call)) {
    half?.();
    throw systemError("ENOSPC", call);
  }
  if (fault.how === "fail" && passed === at) throw systemError(fault.code ?? "EIO", call);
}

/** @param {unknown} data */
const firstHalf = (data) => {
  const bytes = typeof data === "string" ? Buffer.from(data) : ArrayBuffer.isView(data) ? data : undefined;
  return bytes === undefined
    ? Buffer.alloc(0)
    : Buffer.from(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 2));
};

/**
 * Puts a point before a function of an object.
 * @param {any} owner @param {string} name @param {(args: any[], self: any) => { watched: boolean, half?: () => void }} look
 */
function wrap(owner, name, look) {
  const original = owner[name];
  if (typeof original !== "function") return;
  const isPromise = !name.endsWith("Sync");
  owner[name] = function wrapped(/** @type {any[]} */ ...args) {
    const { watched, half } = look(args, this);
    if (!watched) return original.apply(this, args);
    try {
      point(name, half);
    } catch (error) {
      if (isPromise) return Promise.reject(error);
      throw error;
    }
    return original.apply(this, args);
  };
}

const sync = { ...fs };
const byPath = (/** @type {any[]} */ args) => ({ watched: isWatched(args[0]) || isWatched(args[1]) });
for (const name of [
  "mkdir",
  "rm",
  "rmdir",
  "unlink",
  "rename",
  "link",
  "symlink",
  "truncate",
  "utimes",
  "copyFile",
  "cp",
  "chmod",
]) {
  wrap(fs.promises, name, byPath);
  wrap(fs, `${name}Sync`, byPath);
}
for (const [owner, name] of /** @type {const} */ ([
  [fs.promises, "writeFile"],
  [fs.promises, "appendFile"],
  [fs, "writeFileSync"],
  [fs, "appendFileSync"],
])) {
  wrap(owner, name, ([file, data]) => ({
    watched: isWatched(file),
    half: () => sync.writeFileSync(file, firstHalf(data), { flag: name.startsWith("append") ? "a" : "w" }),
  }));
}
for (const name of ["fsyncSync", "ftruncateSync"]) wrap(fs, name, ([fd]) => ({ watched: isWatched(fd) }));
wrap(fs, "writeSync", ([fd, data, offset, length, position]) => ({
  watched: isWatched(fd),
  half: () => {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    const count = typeof length === "number" ? length : bytes.byteLength;
    sync.writeSync(
      fd,
      bytes,
      Number(offset) || 0,
      Math.floor(count / 2),
      typeof position === "number" ? position : null,
    );
  },
}));

const { openSync } = fs;
fs.openSync = (file, flags, mode) => {
  const watched = isWatched(file) && isWriting(flags);
  if (watched) point("openSync");
  const fd = openSync(file, flags, mode);
  if (watched) openFiles.set(fd, String(file));
  return fd;
};
const { closeSync } = fs;
fs.closeSync = (fd) => {
  openFiles.delete(fd);
  closeSync(fd);
};

const { open } = fs.promises;
fs.promises.open = async (file, flags, mode) => {
  const watched = isWatched(file) && isWriting(flags);
  if (watched) point("open");
  const handle = await open(file, flags, mode);
  // Folders are opened for reading and synced.
  if (watched || isWatched(file)) openFiles.set(handle.fd, String(file));
  return handle;
};
const probe = await open(process.execPath, "r");
const handles = Object.getPrototypeOf(probe);
await probe.close();
for (const name of ["sync", "datasync", "truncate"])
  wrap(handles, name, (_, self) => ({ watched: isWatched(self.fd) }));
for (const name of ["writeFile", "appendFile"]) {
  wrap(handles, name, ([data], self) => ({
    watched: isWatched(self.fd),
    half: () => void sync.writeSync(self.fd, firstHalf(data)),
  }));
}
wrap(handles, "write", ([data, offset, length, position], self) => ({
  watched: isWatched(self.fd),
  half: () => {
    const count = typeof length === "number" ? length : data.byteLength;
    const at = typeof position === "number" ? position : null;
    sync.writeSync(self.fd, data, Number(offset) || 0, Math.floor(count / 2), at);
  },
}));
const { close } = handles;
handles.close = function closed() {
  openFiles.delete(this.fd);
  return close.call(this);
};
const { statfs } = fs.promises;
fs.promises.statfs = /** @type {typeof statfs} */ (
  async (/** @type {string} */ file, /** @type {any} */ options) => {
    const found = await statfs(file, options);
    const isFull = fault.how === "full" && passed >= (fault.at ?? Number.POSITIVE_INFINITY);
    return isFull ? { ...found, bavail: 0, bfree: 0 } : found;
  }
);
syncBuiltinESMExports();

if (fault.native === true) {
  const require = createRequire(import.meta.url);
  const native = require(path.join(path.dirname(require.resolve("@lancedb/lancedb")), "native.js"));
  const names = {
    Connection: ["createEmptyTable", "createTable", "dropTable"],
    Table: ["add", "delete", "optimize", "createIndex", "restore"],
  };
  for (const [owner, calls] of Object.entries(names)) {
    for (const name of calls) wrapNative(native[owner].prototype, name);
  }
}

/**
 * Two points for each call of the native library: before it, and at some moment inside of it.
 * @param {any} owner @param {string} name
 */
function wrapNative(owner, name) {
  const original = owner[name];
  if (typeof original !== "function") throw new Error(`The native library has no ${name}.`);
  owner[name] = function wrapped(/** @type {any[]} */ ...args) {
    try {
      point(`${name} (native)`);
    } catch (error) {
      return Promise.reject(error);
    }
    passed++;
    if (fault.trace === true) fs.writeSync(2, `${passed} inside ${name}\n`);
    const dies = fault.how === "kill" && passed === fault.at;
    const running = original.apply(this, args);
    if (!dies) return running;
    setTimeout(die, (passed * 7_919) % INSIDE_MS_MAX);
    return running.finally(die);
  };
}

process.once("exit", () => sync.writeSync(1, `\npoints ${passed}\n`));
