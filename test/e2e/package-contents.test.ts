import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { findEntries } from "../../scripts/build/entries.mjs";
import { declaredLicence, isPermissive } from "../../scripts/build/licences.mjs";
import { productionPlaces } from "../../scripts/check/lock.mjs";
import { checkout, readJson, readLock } from "../support/packed.ts";

const TARBALL_BYTES_MAX = 12 * 2 ** 20;
const INSTALL_BYTES_MAX = 230 * 2 ** 20;
const SHIPPED =
  /^(package\.json|README\.md|LICENSE|NOTICE|CHANGELOG\.md|dist\/(THIRD-PARTY-NOTICES\.txt|web\/(viewer|search)\.html|[\w.-]+\.js|assets\/[\w.-]+|types\/[\w./-]+\.d\.ts))$/;
const FORBIDDEN = /(^|\/)(@huggingface\/transformers|openai|sharp|onnxruntime[\w-]*|@lancedb\/lancedb)$/;
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare"];

const packed = inject("packed");
const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
const bytesOf = (folder: string): number => files(folder).reduce((sum, file) => sum + statSync(file).size, 0);
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const shipped = files(packed.package).map((file) => file.slice(packed.package.length + 1).replaceAll("\\", "/"));
const manifest = readJson(join(packed.package, "package.json"));
const production = productionPlaces(readLock());

test("the tarball holds the build and its papers, nothing else", () => {
  expect(shipped.filter((file) => !SHIPPED.test(file))).toEqual([]);
  for (const paper of ["LICENSE", "NOTICE", "CHANGELOG.md", "dist/THIRD-PARTY-NOTICES.txt", "dist/index.js"]) {
    expect(shipped).toContain(paper);
  }
});

test("no file of the tarball names a folder of the machine that built it", () => {
  const places = [checkout, homedir()].filter((place) => place.length > 1);
  const naming = shipped.filter((file) => {
    const text = readFileSync(join(packed.package, file), "latin1");
    return places.some((place) => text.includes(`${place}/`));
  });
  expect(naming).toEqual([]);
});

test("the exports map names every entry point that the build found", () => {
  const built = Object.keys(findEntries(checkout)).filter((name) => name !== "cli");
  const addresses = built.map((name) => (name === "index" ? "." : `./${name}`));
  expect(Object.keys(manifest.exports).sort()).toEqual([...addresses, "./package.json"].sort());
});

test("every address of the exports map and the command exist", () => {
  const targets = Object.values<string | Record<string, string>>(manifest.exports).flatMap((one) =>
    typeof one === "string" ? [one] : Object.values(one),
  );
  const missing = [...targets, ...Object.values<string>(manifest.bin)].filter(
    (path) => !existsSync(join(packed.package, path)),
  );
  expect(missing).toEqual([]);
});

test("nothing runs at install: neither the package nor anything below it has an install script", () => {
  const lock = readLock();
  expect(production.filter((place) => lock.packages[place]?.hasInstallScript === true)).toEqual([]);
  const folders = [packed.package, ...production.map((place) => join(packed.folder, place)).filter(existsSync)];
  const running = folders.filter((folder) => {
    const { scripts = {} } = readJson(join(folder, "package.json"));
    const own = folder === packed.package ? INSTALL_SCRIPTS : INSTALL_SCRIPTS.slice(0, 3);
    return existsSync(join(folder, "binding.gyp")) || own.some((name) => name in scripts);
  });
  expect(running).toEqual([]);
});

test("the production tree has nothing that we keep out on purpose", () => {
  expect(production.filter((place) => FORBIDDEN.test(place))).toEqual([]);
  const declared = Object.keys({
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
  });
  expect(declared.filter((name) => FORBIDDEN.test(name))).toEqual([]);
});

test("every licence is permissive, installed or bundled", () => {
  const lock = readLock();
  const licenceAt = (place: string): string | undefined => {
    const manifest = join(checkout, place, "package.json");
    return existsSync(manifest) ? declaredLicence(readJson(manifest)) : lock.packages[place]?.license;
  };
  const foreign = production.filter((place) => !isPermissive(licenceAt(place)));
  // Builds for other platforms may be in the lock by name alone; they are the same code as the one installed here.
  expect(
    foreign.filter((place) => !/^node_modules\/@lancedb\/lancedb-\w+/.test(place) || licenceAt(place) !== undefined),
  ).toEqual([]);
  const { packages } = readJson(join(checkout, "dist", "build.json"));
  expect(packages.filter((one: { license: string }) => !isPermissive(one.license))).toEqual([]);
});

test("the notices name every bundled package with its version", () => {
  const notices = readFileSync(join(packed.package, "dist", "THIRD-PARTY-NOTICES.txt"), "utf8");
  const { packages } = readJson(join(checkout, "dist", "build.json"));
  for (const { name, version } of packages) expect(notices).toContain(`\n${name} ${version} (`);
});

test("dependencies.md lists exactly what is installed and what is bundled", () => {
  const document = readFileSync(join(checkout, "docs", "decisions", "dependencies.md"), "utf8");
  const rows = [...document.matchAll(/^\| `([^`]+)` \|.*\| (hard|optional|bundled|brought) \|/gm)];
  const documented = (kinds: string[]) =>
    rows.flatMap(([, name, kind]) => (kinds.includes(kind ?? "") ? [name] : [])).sort();
  const { packages } = readJson(join(checkout, "dist", "build.json"));
  const bundled = new Set<string>(packages.map((one: { name: string }) => one.name));
  expect(documented(["bundled"])).toEqual([...bundled].sort());
  const installed = new Set(production.map((place) => place.replace(/^.*node_modules\//, "")));
  expect(documented(["hard", "optional", "brought"])).toEqual(
    [...installed].filter((name) => !/^@vscode\/ripgrep-/.test(name)).sort(),
  );
});

test("the sizes stay under their limits", () => {
  const tarball = statSync(packed.tarball).size;
  const install = bytesOf(join(packed.folder, "node_modules"));
  console.log(`tarball ${mib(tarball)}, unpacked ${mib(bytesOf(packed.package))}, install ${mib(install)}`);
  expect(tarball).toBeLessThan(TARBALL_BYTES_MAX);
  expect(install).toBeLessThan(INSTALL_BYTES_MAX);
});
