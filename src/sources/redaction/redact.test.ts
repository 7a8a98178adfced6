import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { cpuMilliseconds } from "../../../test/support/cpu-time.ts";
import { PLANTED_SECRETS } from "../../testing/planted-secrets.ts";
import { thrown } from "../../testing/thrown.ts";
import { looksRandom } from "./random-tokens.ts";
import { redact } from "./redact.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const runs = (count: number) => ({ numRuns: count * SCALE, seed: 7 });

/** Longest part of a secret that may be seen: less than what helps anybody. */
const VISIBLE_UNITS_MAX = 11;

function visiblePart(text: string, secret: string): string | undefined {
  const units = Math.min(secret.length, VISIBLE_UNITS_MAX + 1);
  for (let at = 0; at + units <= secret.length; at++) {
    const part = secret.slice(at, at + units);
    if (text.includes(part)) return part;
  }
  return undefined;
}

const around = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constantFrom(
    '{ "a": [1, 2',
    "const x = `",
    "a sentence, and a (",
    "=== ",
    "'",
    '"',
    "```sh\n$ ",
    "-- +++ @@ ",
    "  12\t",
  ),
);

describe("what must not survive", () => {
  it.each(Object.keys(PLANTED_SECRETS))("%s, anywhere in any text", (name) => {
    const planted = PLANTED_SECRETS[name] ?? fc.constant({ text: "", secret: "" });
    const separator = fc.constantFrom("\n", "\n\n", "\r\n");
    fc.assert(
      fc.property(around, separator, planted, separator, around, (before, open, { text, secret }, close, after) => {
        const { text: left, found } = redact(`${before}${open}${text}${close}${after}`);
        expect(visiblePart(left, secret)).toBeUndefined();
        expect(found.length).toBeGreaterThan(0);
      }),
      runs(60),
    );
  });

  it("several at once, each counted by its kind", () => {
    const key = `ghp_${"a1B2".repeat(9)}`;
    const { text, found } = redact(`${key} and ${key}\nDB_PASSWORD=hunter2\nhttps://me:hunter2@example.com/x`);
    expect(text).toBe(
      "[redacted github-token] and [redacted github-token]\nDB_PASSWORD=[redacted password]\n" +
        "https://me:[redacted url-password]@example.com/x",
    );
    expect(found).toEqual([
      { kind: "github-token", count: 2 },
      { kind: "url-password", count: 1 },
      { kind: "password", count: 1 },
    ]);
  });

  it.each([
    "password=hunterkey",
    "Kennwort: hunter2x",
    "siehe Kennwort: hunter2x",
    "密码: hunter2x",
    "パスワード：hunter2x",
    "contraseña: hunter2x",
    "La contraseña es hunter2x.",
    "mot de passe : hunter2x",
    "пароль: hunter2x",
    '"dbPasswordProd": "hunter2x"',
    '{"%22password%22%3A%22hunter2x%22"}',
    "htpasswd -c -b file me hunter2x",
    "echo -n hunter2x | sudo -kS ls",
    "SET PASSWORD FOR me = 'hunter2x'",
    "the password is 'hunter2x'",
    "our root password was hunterEZZ",
    "recovery phrase: tall hunter under green river",
    "password: hunterEZZOmE and more",
    "environment:\n  DB_PASSWORD_PROD: hunterabc\n  TOKEN_GITHUB: hunterabc\n",
    "My password: hunterabc",
    "The password for the staging database is hunter2x.",
    "password for prod: hunter2x",
    "- name: DB_PASSWORD\n  value: hunter2x",
    '{"name": "DB_PASSWORD_PROD", "value": "hunter2x"}',
    "docker login -u me -p hunterabc registry.example.com",
    "ldapsearch -D cn=me -w hunterabc",
    "zip -r -P hunterabc a.zip b",
    "7z x -phunterabc a.7z",
    "echo 'me:hunterabc' | sudo chpasswd",
    "aws configure set aws_secret_access_key hunterabc",
  ])("%s", (text) => {
    expect(redact(text).text).not.toMatch(/hunter/);
  });

  it("random tokens, but for the few that chance makes look like a word", () => {
    const tokens = fc.sample(
      fc.string({
        unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
        minLength: 32,
        maxLength: 64,
      }),
      { numRuns: 4_000, seed: 11 },
    );
    expect(tokens.filter((token) => !looksRandom(token)).length).toBeLessThan(60);
  });
});

const KEPT = [
  "The password is asked for at the prompt; a token: see below. Secret: none.",
  "Unexpected token: } in JSON at position 512. max_tokens: 4096, tokens=512",
  "const token = await readToken(options.path);\nconst password = config.password;",
  "interface Login {\n  password: string;\n  token?: string\n  secret: Secret<string>;\n}",
  "def login(user, password=password, token=self.token): pass",
  'if (password === undefined) throw new Error("No password.");',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of a shell
  "DB_PASSWORD=${DB_PASSWORD}\nAPI_KEY=$API_KEY\nTOKEN=<your token>\nSECRET=****",
  "PASS src/sources/redact.test.ts (12 tests)\npass: 12, fail: 0",
  "PWD=/home/somebody/projects/winnow\nOLDPWD=/tmp",
  "commit 7e23c05f0a4c46b5da767aba3fa6d6fa881f8110\nAuthor: A B",
  "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "session 550e8400-e29b-41d4-a716-446655440000 and 01ARZ3NDEKTSV4RRFFQ69G5FAV",
  "fffffffc-0000-1000-8000-000000000000",
  "toolu_01A09q90qw90lq917835lq9Ab msg_01XFDUDYJgAACzvnptvVoYEL req_011CSHoEeqs5C35K2UUqR7Fy",
  '"integrity": "sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg=="',
  "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8 (RSA)",
  "/home/somebody/.claude/projects/-home-somebody-Projects-App2/550e8400-e29b-41d4-a716-446655440000.jsonl",
  "src/sources/claude-sessions/session-collector.test.ts:42:17",
  "createClaudeSessionsSourceV2WithOptions2026 and HTTPServerRequestHandlerFactoryBean3",
  "https://example.com:8443/path/@scope/package?x=1#L20 and git@github.com:owner/repository.git",
  "http://localhost:5173/@vite/client",
  "basic understanding of bearer authentication-tokens",
  "/nix/store/4x3qk5b1y0p2m9r7c8d6f5g4h3j2k1l0-Node-20.19.0/bin/node",
  "task-runner-for-the-whole-workspace, risk-assessment-of-everything-2026",
  "| token | meaning |\n|---|---|\n| secret | a word |",
  "-----BEGIN CERTIFICATE----- and -----BEGIN PUBLIC KEY-----",
  "The cookie: sweet. Authorization: required. auth: none",
  "cache_key: user12345abc, primary_key=id12345678",
  "max_token_count: abc123def456, tokenType=bearer12, secret_name: my-secret-v2, password_field: user1name",
  "PASSWORD_MIN_LENGTH=12\nPASSWORD_RESET_TIMEOUT=86400000\nTOKEN_ENDPOINT=https://example.com/oauth2/token",
  "AUTH_DOMAIN=login2.example.com TOKENIZERS_PARALLELISM=false MAX_TOKENS_PER_CALL=4096abcd",
  "secretKeyRef:\n  name: database-v2\n  key: password",
  "password:\n  type: string\n  minLength: 12\n- password:\n    required",
  "ProgressTokenSchema: ProgressTokenSchema$1, passwordInput: document2, tokenHandler = createTokenHandlerV2Factory",
  '["username", "password", "email", "confirm_password", "remember_me"]',
  'crypto.pbkdf2("password", "salt1234", 1000); hash("password", "sha256"); t("password", "Password")',
  "| password | string | required |\n| token | the token | 2026 |\n| a | b |\n| `secret` | optional |",
  "Passphrase: asked for when the key is encrypted. passphrase: required for encrypted keys",
  "The password is expired. My password is incorrect. The password is not the one that was used.",
  "Das Passwort ist falsch. Kennwort: erforderlich. 密码：必填。密码不能为空。",
  "The tests pass: everything works. pass: 12ms, pass=0): shift by 4. pw: 100%",
  "openssl s_client -connect example.com:443 && curl -k https://example.com && redis-cli -h cache ping",
  "htpasswd -c .htpasswd me && htpasswd -D file me && echo done | sudo tee /etc/file && sudo -S ls",
  "The password for the database is asked for. The token for the run is kept. A secret of success: patience",
  "password: formData, password: getValue, onPassword: handleIt, password: isSetByUserToo",
  '{"name": "DB_PASSWORD", "value": "", "valueFrom": {"secretKeyRef": {"name": "db"}}}\n- name: token_count\n  value: 4096',
  "docker run -u me -p 8080:80 image; docker run -p 27017:27017 mongodb; zip -r a.zip b; 7z x a.7z; mkdir -p hunter; git config set user.name me",
  "KEY=value; KEY=$OTHER; key=0123456789abcdef0123456789abcdef; cache[key]=user12345abcdefghijklmn",
  "api_key=config.apiKey, api_key=settings, token=getAccessTokenFromStorage, client_secret=readClientSecret",
  "GRANT SELECT ON t TO me; machine learning, login page, password reset; indexed by 'name', with 'password'",
  "curl -s https://example.com -o out.txt && mysql -u root -P 3306 app",
];

describe("what survives unchanged", () => {
  it.each(KEPT)("%s", (text) => {
    expect(redact(text)).toEqual({ text, found: [] });
  });

  test("hashes, UUIDs and numbers of any kind, within any words", () => {
    const hexadecimal = (units: number) =>
      fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: units, maxLength: units });
    const kept = fc.oneof(
      hexadecimal(7),
      hexadecimal(32),
      hexadecimal(40),
      hexadecimal(64),
      fc.uuid(),
      fc.ulid(),
      fc.integer().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.constantFrom("the", "queue", "drains", "slowly", "retryPolicy", "src/queue.ts:12", "(see", "#142)"),
    );
    fc.assert(
      fc.property(fc.array(kept, { maxLength: 30 }), (words) => {
        const text = words.join(" ");
        expect(redact(text).text).toBe(text);
      }),
      runs(200),
    );
  });
});

describe("limits", () => {
  it("refuses a text over the limit as a whole", () => {
    expect(thrown(() => redact("a".repeat(11), 10)).code).toBe("limit_exceeded");
    expect(redact("a".repeat(10), 10).found).toEqual([]);
  });

  const HOSTILE: Readonly<Record<string, string>> = {
    "one letter": "a",
    base64: "aB3+/x9Z",
    quotes: '"',
    "escaped quotes": '\\"',
    slashes: "\\",
    "white space": " ",
    "line ends": "\n",
    "names without values": "password",
    "names and quotes": 'password="',
    "names and mixed quotes": "password='secret=\"token=`",
    "beginnings of keys": "-----BEGIN PRIVATE KEY-----",
    "beginnings of keys on lines": "-----BEGIN PRIVATE KEY-----\nA: b\n",
    "beginnings of tokens": "ghp_sk-ant-eyJxoxb-",
    "web tokens without an end": "eyJ",
    dots: "eyJa.",
    addresses: "a://",
    "addresses with users": "a://b:c",
    headers: "Authorization: Bearer ",
    "bare schemes": "basic ",
    clients: "curl ",
    "clients with flags": "curl -u ",
    tags: "<password>",
    flags: "--token ",
    dashes: "-",
    underscores: "_key",
    "names with suffixes": "_password_x",
    "suffixes alone": "password_a-b",
    "passwords on next lines": "password:\n ",
    "clients of Redis": "redis-cli -h ",
    "calls of OpenSSL": "openssl -x ",
    "calls of htpasswd": "htpasswd -b a ",
    "calls of sudo": "echo a | sudo ",
    "entries of netrc": "machine a login b ",
    "cells of tables": "| password ",
    bars: "|",
    "cells on lines": "|password|\n",
    pairs: "'password', '",
    passphrases: "passphrase: word ",
    "words of a passphrase": "mnemonic word-",
    queries: "identified by ",
    "values as text": "password%3D",
    "full-width signs": "密码：",
    "names for things": "password for a ",
    "names and values": "name: token value ",
    "calls of docker": "docker login -p ",
    settings: "set token ",
  };

  it.each(Object.keys(HOSTILE))("takes time linear in 50 kB and 200 kB of %s", (name) => {
    const part = HOSTILE[name] ?? "";
    const time = (units: number): number => {
      const text = part.repeat(Math.ceil(units / part.length)).slice(0, units);
      return cpuMilliseconds(() => redact(text));
    };
    time(20_000);
    const small = time(50_000);
    const large = time(200_000);
    // Sixteen times would be quadratic; a machine that does other work makes anything below it uncertain.
    expect(large).toBeLessThan(Math.max(60, 10 * small));
    expect(large).toBeLessThan(1_000);
  });
});
