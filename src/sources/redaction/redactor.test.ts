import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../../../test/support/cpu-time.ts";
import { wellFormed } from "../../core/text.ts";
import { thrown } from "../../testing/thrown.ts";
import { excerpt } from "./excerpt.ts";
import { Redactor } from "./redactor.ts";
import { secretFileInCommand, secretFileName, withoutSecretSections } from "./secret-files.ts";

const KEY = `ghp_${"a1B2".repeat(9)}`;

describe("Redactor", () => {
  it("redacts every string of a value, and what stands under the name of a secret as a whole", () => {
    const redactor = new Redactor();
    const value = {
      command: `curl -H 'Authorization: Bearer ${KEY}'`,
      password: "plain words",
      pwd: 12345,
      count: 3,
      nested: [{ note: "kept", api_key: "abc" }, { credentials: { user: "me", realm: "there" } }],
      token: "",
      [KEY]: true,
    };
    expect(redactor.value(value)).toEqual({
      command: "curl -H 'Authorization: Bearer [redacted github-token]'",
      password: "[redacted secret]",
      pwd: "[redacted secret]",
      count: 3,
      nested: [
        { note: "kept", api_key: "[redacted secret]" },
        { credentials: { user: "me", realm: "[redacted secret]" } },
      ],
      token: "",
      "[redacted github-token]": true,
    });
    expect(redactor.found()).toEqual({ "github-token": 2, secret: 4 });
  });

  it("sees a credential through colours, invisible characters and carriage returns", () => {
    const redactor = new Redactor();
    const hidden = `\u001b[01;31m${KEY.slice(0, 4)}\u001b[m${KEY.slice(4, 12)}\u200b${KEY.slice(12)}\r\n`;
    expect(redactor.text(hidden)).toBe("[redacted github-token]\n");
  });

  it("says nothing when nothing was found, and throws for what is over the limit", () => {
    expect(new Redactor().found()).toBeUndefined();
    expect(thrown(() => new Redactor(5).text("longer")).code).toBe("limit_exceeded");
    expect(thrown(() => new Redactor(5).value({ a: ["longer"] })).code).toBe("limit_exceeded");
  });
});

describe("files that are secret by name", () => {
  it.each([
    ".env",
    ".env.local",
    ".env.example",
    "config/prod.env",
    "/home/me/.ssh/id_ed25519",
    "C:\\keys\\server.pem",
    ".npmrc",
    "~/.netrc",
    "~/.aws/credentials",
    "credentials.json",
    "tls.key",
    "kubeconfig",
    "~/.kube/config",
    "secrets.yaml",
    "app.secrets.json",
    "service-account-prod.json",
    "terraform.tfvars",
    ".git-credentials",
    ".claude/.credentials.json",
    "~/.docker/config.json",
    "/proc/self/environ",
    ".envrc",
    "./.env:",
  ])("%s", (path) => expect(secretFileName(path)).toBeDefined());

  it.each([
    "src/env.ts",
    "environment.md",
    "id_rsa.pub",
    "~/.ssh/config",
    "process.env",
    "import.meta.env",
    "keys.ts",
    "docs/secrets.md",
    "monkey",
    "package.json",
    "src/sources/redaction/secret-files.ts",
    "",
    ".",
    "/",
    "a\n.env",
    "x".repeat(2_000),
  ])("not %s", (path) => expect(secretFileName(path)).toBeUndefined());

  it("are found in command lines", () => {
    expect(secretFileInCommand("cd app && cat .env.local | head")).toBe(".env.local");
    expect(secretFileInCommand("docker run --env-file=./prod.env image")).toBe("prod.env");
    expect(secretFileInCommand("scp host:~/.ssh/id_rsa .")).toBe("id_rsa");
    expect(secretFileInCommand("git show HEAD:config/.env")).toBe(".env");
    expect(secretFileInCommand("node -e 'console.log(process.env.HOME)' && npm test")).toBeUndefined();
  });

  it("lose their lines in what a search, a difference or head found", () => {
    const output = [
      "src/a.ts:1:const a = 1;",
      ".env:3:PLAIN=value",
      ".env-4-OTHER=value",
      "src/b.ts:9:b",
      "diff --git a/prod.env b/prod.env",
      "+LINE=1",
      "+LINE=2",
      "diff --git a/x.ts b/x.ts",
      "+kept",
      "==> tls.key <==",
      "abc",
    ].join("\n");
    expect(withoutSecretSections(output)).toEqual({
      text: [
        "src/a.ts:1:const a = 1;",
        "[redacted: contents of .env]",
        "src/b.ts:9:b",
        "diff --git a/prod.env b/prod.env",
        "[redacted: contents of prod.env]",
        "diff --git a/x.ts b/x.ts",
        "+kept",
        "==> tls.key <==",
        "[redacted: contents of tls.key]",
      ].join("\n"),
      hidden: 3,
    });
  });

  it("take linear time to look for", () => {
    for (const part of ["a", "a-", "a:1:", "diff --git a/", "a ", " b/", "==> "]) {
      const spent = cpuMilliseconds(() => {
        withoutSecretSections(part.repeat(100_000));
        secretFileInCommand(part.repeat(100_000));
      }, 1);
      expect(spent).toBeLessThan(1_000);
    }
  });
});

describe("excerpt", () => {
  it("keeps both ends within the limit, and says how much is missing", () => {
    expect(excerpt("short", 5)).toBe("short");
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    const cut = excerpt(lines.join("\n"), 100);
    expect(cut).toMatch(/^line 0\n[\s\S]*\n\[… \d+ characters left out …\]\n[\s\S]*line 99$/);
    expect(cut.split("\n").every((line) => lines.includes(line) || line.startsWith("[…"))).toBe(true);
  });

  it("never cuts a character in two, and counts what it left out", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), fc.integer({ min: 10, max: 100 }), (text, max) => {
        const cut = excerpt(text, max);
        if (text.length <= max) return cut === text;
        const [, head = "", missing = "", tail = ""] =
          /^([\s\S]*)\n\[… ([\d,]+) characters left out …\]\n([\s\S]*)$/.exec(cut) ?? [];
        expect(wellFormed(cut)).toBe(cut);
        expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
        expect(head.length + tail.length).toBeLessThanOrEqual(max);
        return head.length + tail.length + Number(missing.replaceAll(",", "")) === text.length;
      }),
      { numRuns: 200, seed: 3 },
    );
  });
});
