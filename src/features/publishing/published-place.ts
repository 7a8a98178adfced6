import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ProjectLeave } from "../../config/leave.ts";
import { parseObjectAddress } from "../../core/object-address.ts";
import type { Mirror } from "../../retrieval/published/mirror.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Room that mirrors may take up where nobody says; in units of 10^9 bytes. */
const MIRROR_GIGABYTES = 20;

/** An index that was published on an object store, as a command means it. */
export interface PublishedPlace {
  /** `s3://BUCKET/PREFIX`. */
  readonly address: string;
  /** Present where a project's file names it. */
  readonly leave?: ProjectLeave | undefined;
  /** It was named, so that a failure of it fails the command. */
  readonly isAsked: boolean;
  /** See the setting of that name. */
  readonly mirrorGigabytes?: number | undefined;
}

/** Folder of this machine for what belongs to a published index and cannot be fetched again, such as records of runs. */
export function publishedFolder(address: string, environment: Environment): string {
  const state = environment["XDG_STATE_HOME"] || join(homedir(), ".local", "state");
  return join(state, "winnow", "published", keyOf(address, environment));
}

/** The mirror of a published index. Rejects with `invalid_argument` where the environment does not say how to reach it. */
export async function publishedMirror(
  { address, mirrorGigabytes = MIRROR_GIGABYTES }: Pick<PublishedPlace, "address" | "mirrorGigabytes">,
  environment: Environment,
): Promise<Mirror> {
  const [{ Mirror: MirrorOf }, store] = await Promise.all([
    import("../../retrieval/published/mirror.ts"),
    openObjectStore(address, environment),
  ]);
  const cache = environment["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = join(cache, "winnow", "mirrors", keyOf(address, environment));
  return new MirrorOf({ store, folder, bytesMax: mirrorGigabytes * 1e9 });
}

/** Rejects with `invalid_argument` where the environment does not say how to reach it. */
export async function openObjectStore(address: string, environment: Environment) {
  const [{ ObjectStore }, { objectAccess }] = await Promise.all([
    import("../../retrieval/objects/object-store.ts"),
    import("../../retrieval/objects/access.ts"),
  ]);
  return new ObjectStore({ address: parseObjectAddress(address), access: objectAccess(environment) });
}

/** The same address may mean another place on another server. */
function keyOf(address: string, environment: Environment): string {
  const endpoint = environment["AWS_ENDPOINT_URL_S3"] ?? environment["AWS_ENDPOINT_URL"] ?? "";
  const text = `${endpoint.trim().replace(/\/+$/, "")} ${address}`;
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}
