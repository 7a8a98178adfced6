import { writeSync } from "node:fs";
import { WinnowError } from "../../../src/core/errors.ts";
import { STORE_KINDS } from "../../../src/retrieval/corpus/manifest.ts";
import * as actions from "./actions.ts";

/**
 * `node child.js ACTION BASE [ARGUMENT…]`: does one action of actions.ts, and writes what is acknowledged to its output,
 * past any buffer. A failure is one line of JSON on stdout, `failed {"code":…,"message":…,"hint":…}`, and exit code 1;
 * anything but a `WinnowError` ends it with 70.
 */
const [action = "", base = "", first = "", second = ""] = process.argv.slice(2);
const say: actions.Say = (line) => void writeSync(1, `${line}\n`);
const store = STORE_KINDS.find((kind) => kind === (action === "copy" ? second : first));

const ACTIONS: Readonly<Record<string, () => Promise<unknown>>> = {
  index: () => actions.index(base, say, store === undefined ? {} : { store }),
  forget: () => actions.forget(base, first, say),
  reembed: () => actions.reembedTo(base, first, say),
  copy: () => actions.copy(base, first, store ?? "lance", say),
  attach: () => actions.attach(base, Number(first), say),
  search: () => actions.search(base, Number(first), say),
  read: () => actions.readOn(base, Number(first), Number(second), say),
  evaluate: () => actions.evaluateAll(base, first === "" ? undefined : first, say),
};

try {
  await ACTIONS[action]?.();
  say("ended");
} catch (error) {
  if (!WinnowError.isInstance(error)) {
    console.error(error);
    process.exit(70);
  }
  say(`failed ${JSON.stringify({ code: error.code, message: error.message, hint: error.hint ?? null })}`);
  process.exitCode = 1;
}
