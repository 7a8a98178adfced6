import { isAbsolute, relative } from "node:path";
import { stripControl } from "../core/text.ts";

/** A path below the working folder is shown from there on, so that it can be opened as it stands. */
export function shownPlace(uri: string): string {
  const plain = stripControl(uri).replace(/\s/g, " ");
  const below = isAbsolute(plain) ? relative(process.cwd(), plain) : plain;
  return below.startsWith("..") ? plain : below;
}
