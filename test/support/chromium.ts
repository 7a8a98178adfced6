import { type Browser, chromium } from "playwright-core";
import { CHROMIUM_ARGUMENTS, findChromium } from "../../scripts/chromium/find.mjs";
import { skipUnless } from "./skip-unless.ts";

const executablePath = findChromium(process.env);

export const realChromium = skipUnless(
  executablePath !== undefined,
  "there is no Chromium: node scripts/chromium.mjs --install, or name one with WINNOW_CHROMIUM.",
  { mayBeAbsent: process.env["WINNOW_CHROMIUM_ABSENT"] === "1" },
);

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [...CHROMIUM_ARGUMENTS],
  });
}
