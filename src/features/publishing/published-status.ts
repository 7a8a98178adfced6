import { refusedPublished } from "./open-published-place.ts";
import { type PublishedPlace, publishedMirror } from "./published-place.ts";

export interface PublishedStatus {
  readonly address: string;
  readonly publishedAt: string;
  /** Where it lies on this machine. */
  readonly mirror: string;
  /** Why it could not be looked at now; what was fetched before is shown. */
  readonly unreachable?: string;
}

/**
 * How a published index stands, with the corpus folder that it was fetched into. Rejects as opening it does, and with
 * `invalid_config` where the user has not agreed to have it read.
 */
export async function mirroredStatus(
  name: string,
  place: PublishedPlace,
): Promise<PublishedStatus & { readonly folder: string }> {
  const refused = await refusedPublished(name, place);
  if (refused !== undefined) throw refused;
  const mirror = await publishedMirror(place, process.env);
  const { mirrored, failure } = await mirror.syncOrPresent({});
  return {
    address: place.address,
    publishedAt: mirrored.publication.publishedAt,
    mirror: mirror.folder,
    folder: mirrored.folder,
    ...(failure && { unreachable: failure.message }),
  };
}
