// Static checks: `node scripts/check.mjs`. Prints what is wrong, and one line for each check.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { runStaticChecks } from "./check/static.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { failed } = await runStaticChecks(root);
if (failed > 0) process.exitCode = 1;
