import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** A program for a child process that a test kills. */
export interface Child {
  readonly script: string;
  remove(): Promise<void>;
}

/**
 * Bundles a program that imports our sources as `./src/…`: Node cannot run them itself. The bundle lies where it finds
 * the packages that stay outside of it. `name` tells the bundles of tests apart.
 */
export async function bundleChild(name: string, code: string): Promise<Child> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const folder = join(root, "node_modules", ".cache", `winnow-${name}-${process.pid}`);
  const input = `${name}.ts`;
  const build = await rolldown({
    cwd: root,
    input: { child: input },
    plugins: [{ name, resolveId: (id) => (id === input ? id : null), load: (id) => (id === input ? code : null) }],
    platform: "node",
    external: (id) => id !== input && /^[^./#]/.test(id),
    logLevel: "silent",
  });
  await build.write({ dir: folder, format: "esm" });
  return { script: join(folder, "child.js"), remove: () => rm(folder, { recursive: true, force: true }) };
}
