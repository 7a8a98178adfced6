import type { WinnowError } from "../../core/errors.ts";
import type { CorpusReader } from "../../retrieval/corpus-reader.ts";
import { leftOut } from "../attaching/left-out.ts";
import type { QueryModels } from "../indexing/embedders.ts";
import { placesWithoutLeave } from "../indexing/leave.ts";
import { placeRefused } from "../indexing/refuse-place.ts";
import { type PublishedPlace, publishedMirror } from "./published-place.ts";
import { openOrStandIn } from "./stand-in.ts";

export interface OpenPublishedPlaceOptions {
  readonly name: string;
  readonly published: PublishedPlace;
  /** Stands for it where it is left out. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly models: QueryModels;
}

/**
 * Opens a published index for reading. One that a project's file names without the user's leave is empty, and says so; so
 * is one that nobody asked for, as long as it cannot be opened. Rejects as `openPublished` does.
 */
export async function openPublishedPlace(options: OpenPublishedPlaceOptions): Promise<CorpusReader> {
  const { name, published, folder, environment, models } = options;
  const refused = await refusedPublished(name, published);
  if (refused !== undefined) return leftOut(name, folder, refused);
  const open = async (): Promise<CorpusReader> => {
    const [{ openPublished }, mirror] = await Promise.all([
      import("../../retrieval/published/published-corpus.ts"),
      publishedMirror(published, environment),
    ]);
    return openPublished({ name, mirror, ...models });
  };
  if (published.isAsked) return open();
  return openOrStandIn({ name, folder, open });
}

/** Why an entry may not be reached: a project's file names it, and the user has not agreed. */
export async function refusedPublished(
  name: string,
  { address, leave }: Pick<PublishedPlace, "address" | "leave">,
): Promise<WinnowError | undefined> {
  if (leave === undefined) return undefined;
  const [place] = await placesWithoutLeave(leave, [address]);
  if (place === undefined) return undefined;
  return placeRefused({ name, place, leadsTo: place, agree: ["winnow", "attach", place, "--name", name] });
}
