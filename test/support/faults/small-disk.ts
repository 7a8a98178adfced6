import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { skipUnless } from "../skip-unless.ts";

const PAGE_BYTES = 4_096;

/** A file system of its own that is as small as a test wants it. */
export interface SmallDisk {
  readonly folder: string;
  /** Leaves so many bytes free, give or take a page, by a file that nobody else knows. */
  leave(bytes: number): Promise<void>;
  free(): Promise<number>;
  remove(): void;
}

/** Needs the right to mount, which containers often keep back. */
export function smallDisk(bytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "winnow-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder], { stdio: "pipe" });
  const ballast = join(folder, "ballast");
  const free = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  };
  return {
    folder,
    free,
    async leave(wanted) {
      rmSync(ballast, { force: true });
      const surplus = (await free()) - wanted;
      if (surplus > PAGE_BYTES) await writeFile(ballast, Buffer.alloc(surplus - (surplus % PAGE_BYTES)));
    },
    remove() {
      execFileSync("umount", ["-l", folder], { stdio: "pipe" });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function canMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    smallDisk(PAGE_BYTES * 16).remove();
    return true;
  } catch {
    return false;
  }
}

/** Elsewhere full disks are only feigned. */
export const realDisk = skipUnless(canMount(), "mounting a small file system needs Linux and its root.", {
  mayBeAbsent: true,
});
