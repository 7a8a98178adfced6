import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Files of a corpus that tests index, and renew. */
export const FILES = 10;

export const nameOf = (i: number): string => `f${String(i).padStart(2, "0")}.md`;
/** The word that only this file holds, in this round. */
export const ownWord = (i: number, round: number): string => `own${round}x${i}`;

/** The files of a first round, or what a second one changes: every third file is another, every fifth is gone, one is new. */
export async function writeFiles(folder: string, round: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let i = 0; i < FILES + round; i++) {
    if (round > 0 && i % 5 === 4) await rm(join(folder, nameOf(i)), { force: true });
    else if (round === 0 || i % 3 === 0 || i >= FILES) {
      const text = `# File ${i}\n\n${ownWord(i, round)} common word${i}\n\n${"filler ".repeat(30)}\n\nend of ${i}\n`;
      await writeFile(join(folder, nameOf(i)), text);
    }
  }
}
