import { fileURLToPath } from "node:url";
import { objectServerCommand } from "./object-server.ts";
import { skipUnless } from "./skip-unless.ts";

/** The command of a server that speaks S3 (moto); empty where there is none, and then no test of a real one runs. */
export const objectServer = objectServerCommand(fileURLToPath(new URL("../../", import.meta.url))) ?? "";

export const realObjectStore = skipUnless(
  objectServer !== "",
  "there is no moto_server command: npm run s3:up -- --install, or name one with WINNOW_MOTO.",
  { mayBeAbsent: process.env["WINNOW_MOTO_ABSENT"] === "1" },
);
