import { readdir } from "node:fs/promises";
import { type ChromaEntry, isUserOnly } from "../../config/corpora.ts";
import { isAddress } from "../../core/address.ts";
import { WinnowError } from "../../core/errors.ts";
import { noted, placesWithoutLeave } from "../indexing/leave.ts";
import { placeRefused } from "../indexing/refuse-place.ts";
import { UNKNOWN_EMBEDDER } from "./attached-entry.ts";

/**
 * Why an entry may not be reached: a project's file names what lies outside of its folder, and the user has not agreed.
 * Undefined where it may. Asked each time before it is reached, since a link may lead elsewhere by then.
 */
export async function refusedAttached(name: string, entry: ChromaEntry): Promise<WinnowError | undefined> {
  const { leave, place, replicas = [], inPlace } = entry;
  if (leave === undefined) return undefined;
  const [refused] = await placesWithoutLeave(leave, [place, ...replicas]);
  if (refused !== undefined) {
    const agree =
      refused === place
        ? attachCommand(name, entry)
        : `put the address into "mayRead" of this folder in ${leave.userFile}`;
    return placeRefused({ name, place: refused, leadsTo: await noted(refused), agree });
  }
  if (!inPlace || isAddress(place)) return undefined;
  const leads = isUserOnly({ chroma: place, inPlace }, leave.folder) || (await holdsLinks(place));
  if (!leads) return undefined;
  return new WinnowError("invalid_config", `${place} holds links, and is not opened in place for ${name}.`, {
    hint: `Only an entry in ${leave.userFile} may have such a directory opened in place.`,
  });
}

/** The command that attaches what the entry names, as it names it. */
function attachCommand(name: string, entry: ChromaEntry): readonly string[] {
  const { place, collection, tenant, database, role, documentKey, orderKey, titleKey, uriKey, embedder } = entry;
  const flags = [
    ["--tenant", tenant],
    ["--database", database],
    ["--role", role],
    ["--document-key", documentKey],
    ["--order-key", orderKey],
    ["--title-key", titleKey],
    ["--uri-key", uriKey],
    ["--embedder", embedder === UNKNOWN_EMBEDDER ? undefined : embedder],
  ] as const;
  const given = flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
  return ["winnow", "attach", place, collection, "--name", name, ...given];
}

/** A server that opens the directory follows them anywhere. */
async function holdsLinks(folder: string): Promise<boolean> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return found.some((entry) => entry.isSymbolicLink());
}
