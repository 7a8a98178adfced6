import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { lockWriter, systemProcesses } from "../corpus/writer-lock.ts";

/** Says what a mirror holds; its time, when somebody last looked at the address. */
export const MIRROR_FILE = "mirror.json";
/** A mirror that was looked at so recently may be in use: whoever has it open looks every few seconds. */
const IN_USE_MS = 60 * 60_000;

/**
 * Deletes mirrors beside `mirror` that nobody uses, those first that were not looked at for longest, until all together
 * take up `bytesMax` at most. Never rejects, and never touches `mirror` itself.
 */
export async function makeRoom(mirror: string, bytesMax: number, nowMs: number): Promise<void> {
  const folder = dirname(mirror);
  const names = await readdir(folder).catch(() => []);
  const mirrors = await Promise.all(names.map((name) => lookAt(join(folder, name))));
  let bytes = mirrors.reduce((sum, one) => sum + one.bytes, 0);
  const unused = mirrors.filter(
    ({ path, usedMs }) => basename(path) !== basename(mirror) && nowMs - usedMs > IN_USE_MS,
  );
  for (const { path, bytes: freed } of unused.sort((a, b) => a.usedMs - b.usedMs)) {
    if (bytes <= bytesMax) return;
    const lock = await lockWriter(join(path, "writer.lock"), () => nowMs, systemProcesses).catch(() => undefined);
    if (lock === undefined) continue;
    const isGone = await rm(path, { recursive: true, force: true }).then(
      () => true,
      () => false,
    );
    if (!isGone) await lock.release().catch(() => undefined);
    bytes -= isGone ? freed : 0;
  }
}

async function lookAt(
  path: string,
): Promise<{ readonly path: string; readonly bytes: number; readonly usedMs: number }> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  const used = await stat(join(path, MIRROR_FILE)).catch(() => undefined);
  return { path, bytes: sizes.reduce((sum, size) => sum + size, 0), usedMs: used?.mtimeMs ?? 0 };
}
