import type { ChromaEntry } from "../../config/corpora.ts";
import { isAddress } from "../../core/address.ts";
import { deadline } from "../../core/deadline.ts";
import { toWinnowError } from "../../core/errors.ts";
import { connectChroma } from "../../retrieval/chroma/connection.ts";
import { type Environment, findChroma } from "../../retrieval/chroma/server/find-executable.ts";
import { placeOptions } from "./attached-entry.ts";
import { refusedAttached } from "./attached-leave.ts";

/** How long a server may take that is only asked whether it is there. */
const CHECK_TIMEOUT_MS = 3_000;

/** How one thing stands that attached collections need; words are found without any of them. */
export interface AttachedCheck {
  readonly name: string;
  readonly state: "ok" | "warn";
  readonly detail: string;
  readonly hint?: string;
}

/**
 * What attached collections need: Chroma's command for those in directories, asked for once, and each server that the
 * others lie on. A place without leave is not reached. Never rejects.
 */
export async function checkAttached(
  entries: readonly (readonly [name: string, entry: ChromaEntry])[],
  environment: Environment,
): Promise<readonly AttachedCheck[]> {
  const refused = await Promise.all(entries.map(([name, entry]) => refusedAttached(name, entry)));
  const leftOut = entries.flatMap(([name], at) => {
    const why = refused[at];
    return why === undefined ? [] : [failed(`attached ${name}`, why)];
  });
  const allowed = entries.filter((_, at) => refused[at] === undefined).map(([, entry]) => entry);
  const needsCommand = allowed.some(({ place }) => !isAddress(place));
  const servers = allowed.flatMap((entry) =>
    [entry.place, ...(entry.replicas ?? [])].filter(isAddress).map((place) => ({ ...entry, place })),
  );
  // Several collections of one server are one question.
  const distinct = new Map(servers.map((one) => [JSON.stringify([one.place, one.tenant, one.database]), one]));
  return [
    ...leftOut,
    ...(needsCommand ? [await checkCommand(environment)] : []),
    ...(await Promise.all([...distinct.values()].map((entry) => checkServer(entry, environment)))),
  ];
}

async function checkCommand(environment: Environment): Promise<AttachedCheck> {
  try {
    return {
      name: "chroma",
      state: "ok",
      detail: `attached directories are opened by ${await findChroma(environment)}`,
    };
  } catch (error) {
    return failed("chroma", error);
  }
}

async function checkServer(entry: ChromaEntry, environment: Environment): Promise<AttachedCheck> {
  const name = `chroma ${entry.place}`;
  try {
    const { tenant, database, apiKey } = await placeOptions(entry, environment);
    const signal = deadline(CHECK_TIMEOUT_MS);
    const connection = await connectChroma({ address: entry.place, tenant, database, apiKey, attemptsMax: 1, signal });
    return { name, state: "ok", detail: `answers, version ${connection.version}` };
  } catch (error) {
    return failed(name, error);
  }
}

function failed(name: string, error: unknown): AttachedCheck {
  const { message: detail, hint } = toWinnowError(error, "store_failed");
  return { name, state: "warn", detail, ...(hint !== undefined && { hint }) };
}
