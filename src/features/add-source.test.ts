import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../config/config.ts";
import { ClaudeTranscript } from "../testing/claude-transcript.ts";
import { addSource } from "./add-source.ts";
import { corpusStatus } from "./corpus-status.ts";
import { pathsWithoutLeave } from "./indexing/leave.ts";
import { transcriptFolder } from "./indexing/source-paths.ts";
import { type CorpusScope, locateCorpora, openCorpora } from "./open-corpora.ts";
import { refreshConfigured } from "./refresh-configured.ts";

let home: string;
let project: string;
let environment: Record<string, string>;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "winnow-sources-")));
  project = join(home, "my project");
  environment = { HOME: home, XDG_CONFIG_HOME: join(home, "config") };
  mkdirSync(join(project, "changelog"), { recursive: true });
  writeFileSync(
    join(project, "CHANGELOG.md"),
    "# Changelog\n\n## [1.1.0] - 2026-05-02\n\n- Retries.\n\n## [1.0.0]\n\n- First.\n",
  );
  writeFileSync(join(project, "changelog", "2026-06-01-queue.md"), "# Queue\n\nMoved to the new queue.\n");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const settings = async () => (await loadConfig(project, environment)).settings;
const scope = async (...named: string[]): Promise<CorpusScope> => ({
  workingFolder: project,
  named,
  known: (await settings()).corpora,
});
const add = async (source: Parameters<typeof addSource>[0]["source"], paths: readonly string[], name?: string) => {
  const { mayRead } = await settings();
  const added = await addSource({ scope: await scope(), source, paths, name, mayRead, environment });
  await added.write();
  return added;
};
const refresh = async (...names: string[]) => {
  const { mayRead } = await settings();
  return refreshConfigured({ scope: await scope(), names, mayRead, environment });
};
const ids = async (): Promise<string[]> => {
  const corpora = await openCorpora(await scope());
  const listed = await Promise.all(corpora.map((corpus) => corpus.documents({})));
  await Promise.all(corpora.map((corpus) => corpus.close()));
  return listed.flatMap(({ documents }) => documents.map(({ id }) => id)).sort();
};
const projectFile = () => JSON.parse(readFileSync(join(project, "winnow.json"), "utf8"));

describe("a source of a corpus of its own", () => {
  it("is remembered by paths that can be moved, built, and found beside the other corpora", async () => {
    const { name, file } = await add("changelog", [join(project, "CHANGELOG.md"), join(project, "changelog")]);
    expect([name, file]).toEqual(["changelog", join(project, "winnow.json")]);
    expect(projectFile()).toEqual({
      corpora: { changelog: { source: "changelog", paths: ["CHANGELOG.md", "changelog"] } },
    });
    const [built] = await refresh("changelog");
    expect(built).toMatchObject({ name: "changelog", summary: { documents: 3 } });
    expect(await ids()).toEqual(["CHANGELOG.md#1.0.0", "CHANGELOG.md#1.1.0", "changelog/2026-06-01-queue.md"]);
    expect((await locateCorpora(await scope())).map((place) => place.name)).toEqual(["changelog"]);
  });

  it("loses what its entry names no more, and keeps what is not there just now", async () => {
    await add("changelog", [join(project, "CHANGELOG.md"), join(project, "changelog")]);
    await refresh("changelog");
    writeFileSync(
      join(project, "winnow.json"),
      JSON.stringify({ corpora: { changelog: { source: "changelog", paths: ["CHANGELOG.md"] } } }),
    );
    expect((await refresh("changelog"))[0]?.summary).toMatchObject({ documents: 2, removed: 1 });
    expect(await ids()).toEqual(["CHANGELOG.md#1.0.0", "CHANGELOG.md#1.1.0"]);
    rmSync(join(project, "CHANGELOG.md"));
    const [gone] = await refresh("changelog");
    expect(gone?.error).toMatchObject({ code: "source_not_found" });
    expect(await ids()).toEqual(["CHANGELOG.md#1.0.0", "CHANGELOG.md#1.1.0"]);
  });

  it("is added to, under the name that it has", async () => {
    await add("changelog", [join(project, "CHANGELOG.md")], "shipped");
    await add("changelog", [join(project, "changelog")], "shipped");
    expect(projectFile().corpora.shipped.paths).toEqual(["CHANGELOG.md", "changelog"]);
  });

  it.each([
    ["a name that another corpus has", "taken", { code: "invalid_argument", message: /names another corpus/ }],
    ["a name that is none", "../up", { code: "invalid_argument", message: /cannot name/ }],
  ])("refuses %s, and writes nothing", async (_, name, error) => {
    writeFileSync(join(project, "winnow.json"), JSON.stringify({ corpora: { taken: "docs" } }));
    await expect(add("changelog", [project], name)).rejects.toMatchObject({
      code: error.code,
      message: expect.stringMatching(error.message),
    });
    expect(projectFile()).toEqual({ corpora: { taken: "docs" } });
  });

  it("is not written down where there is nothing to read", async () => {
    await expect(add("changelog", [join(project, "nowhere")])).rejects.toMatchObject({ code: "source_not_found" });
    await expect(add("claude-sessions", [])).rejects.toMatchObject({ code: "source_not_found" });
    expect(() => projectFile()).toThrow();
  });
});

describe("what agents saw and did", () => {
  beforeEach(() => mkdirSync(transcriptFolder(project, environment), { recursive: true }));

  it("is read where the user said so, which stands in the user's file", async () => {
    const { name, entry } = await add("claude-sessions", []);
    expect([name, entry.isPrivate]).toEqual(["sessions", true]);
    expect(projectFile()).toEqual({ corpora: { sessions: { source: "claude-sessions" } } });
    const userFile = JSON.parse(readFileSync(join(home, "config", "winnow", "config.json"), "utf8"));
    expect(userFile).toEqual({ mayRead: { [project]: [transcriptFolder(project, environment)] } });
  });

  it("is a document for each turn where the entry says so, from the next refresh on", async () => {
    const transcript = new ClaudeTranscript({ cwd: project });
    transcript.user("Why does the tide table fail?");
    transcript.assistant("It assumes 28 days.");
    transcript.user("Now the moon.");
    mkdirSync(transcriptFolder(project, environment), { recursive: true });
    writeFileSync(join(transcriptFolder(project, environment), "a.jsonl"), transcript.text);
    const { name } = await add("claude-sessions", []);
    const [whole] = await refresh(name);
    expect(whole?.summary).toMatchObject({ documents: 1 });
    const entry = { source: "claude-sessions", unit: "turn", role: "other" };
    writeFileSync(join(project, "winnow.json"), JSON.stringify({ corpora: { sessions: entry } }));
    const [turns] = await refresh(name);
    expect(turns).toMatchObject({ summary: { documents: 2 } });
    expect(await ids()).toEqual([expect.stringMatching(/a\.jsonl#1$/), expect.stringMatching(/a\.jsonl#2$/)]);
    // Naming the source again takes nothing back that its entry said.
    await add("claude-sessions", []);
    expect(projectFile()).toEqual({ corpora: { sessions: entry } });
  });

  it("is not read because a folder's own file says so", async () => {
    writeFileSync(join(project, "winnow.json"), JSON.stringify({ corpora: { mine: { source: "tool-traces" } } }));
    const [refused] = await refresh("mine");
    expect(refused?.error).toMatchObject({
      code: "invalid_config",
      message: expect.stringMatching(/nobody has agreed/),
      hint: expect.stringContaining("winnow index --source tool-traces --corpus mine"),
    });
  });

  it("is not read from elsewhere than the user said", async () => {
    await add("claude-sessions", []);
    const others = join(home, ".claude", "projects", "others");
    mkdirSync(others);
    const corpora = { sessions: { source: "claude-sessions", paths: [others] } };
    writeFileSync(join(project, "winnow.json"), JSON.stringify({ corpora }));
    expect((await refresh("sessions"))[0]?.error).toMatchObject({
      code: "invalid_config",
      hint: expect.stringContaining(`winnow index ${others} --source claude-sessions --corpus sessions`),
    });
  });

  it("is not read of another project whose transcripts lie in the same folder", async () => {
    const transcripts = transcriptFolder(project, environment);
    const other = join(home, "my", "project");
    mkdirSync(other, { recursive: true });
    symlinkSync(project, join(home, "link"));
    expect(transcriptFolder(other, environment)).toBe(transcripts);
    const session = (name: string, cwd: string | undefined) => {
      const transcript = new ClaudeTranscript(cwd === undefined ? {} : { cwd });
      transcript.user(`Words of ${name}`);
      transcript.tool("Bash", { command: "ls" }, name);
      const lines = transcript.lines.map((line) => (cwd === undefined ? line.replace(/"cwd":"[^"]*",/, "") : line));
      writeFileSync(join(transcripts, `${name}.jsonl`), lines.map((line) => `${line}\n`).join(""));
    };
    session("own", project);
    session("below", join(project, "gone", "folder"));
    session("linked", join(home, "link", "src"));
    session("beside", other);
    session("nowhere", undefined);
    session("longer", `${project} 2`);
    for (const source of ["claude-sessions", "tool-traces"] as const) {
      const { name, entry } = await add(source, []);
      const [built] = await refresh(name);
      expect(built?.summary).toMatchObject({ documents: 3, skipped: { outside_root: 3 } });
      expect((await ids()).filter((id) => /beside|nowhere|longer/.test(id))).toEqual([]);
      const skipped = (
        await corpusStatus({ name, folder: entry.indexFolder, runsFolder: entry.indexFolder })
      ).skipped.map(({ key, reason }) => [basename(key), reason]);
      expect(skipped).toEqual(["beside", "longer", "nowhere"].map((key) => [`${key}.jsonl`, "outside_root"]));
    }
    const { name } = await add("claude-sessions", [transcripts], "all");
    expect((await refresh(name))[0]?.summary).toMatchObject({ documents: 6 });
  });

  it.skipIf(process.platform === "win32")(
    "is kept where nobody else can read it, as is what the user allows",
    async () => {
      const before = process.umask(0o022);
      try {
        const userFile = join(home, "config", "winnow", "config.json");
        const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
        const transcript = new ClaudeTranscript({ cwd: project });
        transcript.user("Hello");
        writeFileSync(join(transcriptFolder(project, environment), "a.jsonl"), transcript.text);
        mkdirSync(join(home, "config", "winnow"), { recursive: true });
        writeFileSync(userFile, "{}", { mode: 0o644 });
        const { name, entry } = await add("claude-sessions", []);
        expect(mode(userFile)).toBe("600");
        await refresh(name);
        expect(mode(entry.indexFolder)).toBe("700");
        chmodSync(entry.indexFolder, 0o755);
        await refresh(name);
        expect(mode(entry.indexFolder)).toBe("700");
        rmSync(userFile);
        const changelog = await add("changelog", [join(project, "CHANGELOG.md")]);
        await refresh(changelog.name);
        expect(mode(changelog.entry.indexFolder)).toBe("755");
        await add("claude-sessions", []);
        expect(mode(userFile)).toBe("600");
      } finally {
        process.umask(before);
      }
    },
  );

  it("is looked for under the folder's own name", () => {
    expect(transcriptFolder("/home/u/my.project", { HOME: "/home/u" })).toBe(
      join("/home/u", ".claude", "projects", "-home-u-my-project"),
    );
    expect(transcriptFolder("/a", { CLAUDE_CONFIG_DIR: "/conf" })).toBe(join("/conf", "projects", "-a"));
  });
});

describe("what lies outside of a folder", () => {
  let outside: string;
  beforeEach(() => {
    outside = join(home, "my project 2");
    mkdirSync(outside);
    writeFileSync(join(outside, "key.md"), "# Key\n");
  });
  const name = (...paths: string[]) =>
    writeFileSync(join(project, "winnow.json"), JSON.stringify({ corpora: { notes: { source: "files", paths } } }));

  it("is not read because the folder's own file says so", async () => {
    symlinkSync(outside, join(project, "link"));
    for (const path of [outside, "../my project 2", "..", "link", "link/key.md"]) {
      name("CHANGELOG.md", path);
      expect((await refresh("notes"))[0]?.error, path).toMatchObject({
        code: "invalid_config",
        message: expect.stringContaining("which is outside of it"),
        hint: expect.stringMatching(/only if you know why.*ask first whom you work for/),
      });
    }
    name("CHANGELOG.md", "changelog");
    expect((await refresh("notes"))[0]?.summary).toMatchObject({ documents: 2 });
  });

  it("is left out, whatever the file writes into the command that the hint names", async () => {
    const odd = join(home, "$(touch x); '");
    mkdirSync(odd);
    name(odd);
    const [refused] = await refresh("notes");
    expect(refused?.leftOut).toBe(true);
    expect(refused?.error?.hint).toContain(`winnow index '${home}/$(touch x); '\\''' --source files --corpus notes`);
  });

  it("is not agreed to by naming something else for the same corpus", async () => {
    name(outside);
    const { granted } = await add("files", [join(project, "changelog")], "notes");
    expect(granted).toEqual([]);
    expect((await settings()).mayRead).toEqual({});
    expect((await refresh("notes"))[0]).toMatchObject({ leftOut: true });
  });

  it("is agreed to as what a link leads to, not as the link, which the folder may lead elsewhere", async () => {
    symlinkSync(outside, join(project, "link"));
    expect((await add("files", [join(project, "link")], "notes")).granted).toEqual([outside]);
    expect((await refresh("notes"))[0]?.summary).toMatchObject({ documents: 1 });
    const secret = join(home, "secret");
    mkdirSync(secret);
    rmSync(join(project, "link"));
    symlinkSync(secret, join(project, "link"));
    expect((await refresh("notes"))[0]).toMatchObject({ leftOut: true });
    const links = { [project]: [join(project, "link")] };
    const owner = { isUsers: false, isPrivate: false, projectFolder: project };
    expect(await pathsWithoutLeave(owner, [join(project, "link")], links)).toEqual([join(project, "link")]);
  });

  it("is read once the user has named it, in this folder alone", async () => {
    const { granted } = await add("files", [outside, join(project, "changelog")], "notes");
    expect(granted).toEqual([outside]);
    expect((await settings()).mayRead).toEqual({ [project]: [outside] });
    expect((await refresh("notes"))[0]?.summary).toMatchObject({ documents: 2 });
    name("..");
    expect((await refresh("notes"))[0]?.error).toMatchObject({ code: "invalid_config" });
    name(join(outside, "key.md"));
    expect((await refresh("notes"))[0]?.summary).toMatchObject({ documents: 1 });
    const { known } = await scope();
    const notes = known["notes"];
    if (notes?.kind !== "built") throw new Error("not built");
    expect(await pathsWithoutLeave({ ...notes, projectFolder: home }, [join(home, "my project 2")], {})).toEqual([]);
    expect(
      await pathsWithoutLeave({ ...notes, projectFolder: outside }, [project], (await settings()).mayRead),
    ).toEqual([project]);
  });
});
