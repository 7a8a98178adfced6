import fc from "fast-check";

/** A secret as it is met: `text` is what stands in a file or an output, `secret` the part that must not be kept. */
export interface PlantedSecret {
  readonly text: string;
  readonly secret: string;
}

const DIGITS = "0123456789";
const SMALL = "abcdefghijklmnopqrstuvwxyz";
const CAPITAL = SMALL.toUpperCase();
const WORD = `${SMALL}${CAPITAL}${DIGITS}`;

const from = (alphabet: string, min: number, max = min): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: min, maxLength: max });
const word = (min: number, max = min) => from(WORD, min, max);
const wide = (min: number, max = min) => from(`${WORD}_-`, min, max);
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => all.join(""));

/** As a generator of passwords makes them. */
const password = joined(from(SMALL, 3, 6), from(DIGITS, 1, 3), from("!*~+^", 1, 2), word(3, 9));
/** A key without any prefix. Chance may draw words; here no four letters of one case stand together. */
const mixed = fc
  .array(fc.tuple(from(SMALL, 3), from(CAPITAL, 3), from(DIGITS, 2)), { minLength: 4, maxLength: 8 })
  .map((parts) => parts.map(([a, b, c]) => `${a[0]}${b[0]}${c[0]}${a[1]}${b[1]}${a[2]}${c[1]}${b[2]}`).join(""));
const pemBody = (lineEnd: string) =>
  fc.array(from(`${WORD}+/`, 64), { minLength: 2, maxLength: 6 }).map((lines) => lines.join(lineEnd));

const plant = (secret: fc.Arbitrary<string>, write: (secret: string) => string = (one) => one) =>
  secret.map((one): PlantedSecret => ({ text: write(one), secret: one }));
const prefixed = (prefix: string, body: fc.Arbitrary<string>) => plant(body.map((rest) => `${prefix}${rest}`));
const pem = (label: string, lineEnd: string, close: boolean) =>
  plant(pemBody(lineEnd), (body) => {
    const end = close ? `${lineEnd}-----END ${label}-----` : "";
    return `-----BEGIN ${label}-----${lineEnd}${body}${end}`;
  });

/** Letters alone, drawn at random; every second pair changes its case, so that chance makes no word of them. */
const letters = fc
  .array(fc.tuple(from(SMALL, 1), from(CAPITAL, 2), from(SMALL, 1)), { minLength: 6, maxLength: 9 })
  .map((parts) => parts.flat().join(""));
const hexadecimal = from("0123456789abcdef", 30).map((half) => `a1${half}`);
/** What people take for a password that they have to remember. */
const said = fc
  .tuple(fc.constantFrom("hunter", "tiger", "monkey"), from(CAPITAL, 2), from(SMALL, 3))
  .map((all) => all.join(""));
const simple = from(SMALL, 8, 14);

/** Names with something behind them, in other languages, and in other places than before a sign. */
const NAMED_OTHERWISE: Readonly<Record<string, fc.Arbitrary<PlantedSecret>>> = {
  "a key of letters": plant(letters, (one) => `api_key=${one}`),
  "a key of letters in a query": plant(from(SMALL, 16, 40), (one) => `https://example.com/x?api_key=${one}&page=2`),
  "a base of keys": plant(letters, (one) => `SECRET_KEY_BASE=${one}`),
  "a base of keys in code": plant(
    joined(word(16, 30), from(DIGITS, 1), from(SMALL, 1)),
    (one) => `secretKeyBase: "${one}"`,
  ),
  "a key of digits": plant(hexadecimal, (one) => `KEY=${one}`),
  "a password with a place behind its name": plant(simple, (one) => `DB_PASSWORD_PROD=${one}`),
  "a password with a thing behind its name": plant(simple, (one) => `PASSWORD_DB=${one}`),
  "a secret with a version": plant(letters, (one) => `APP_SECRET_V2=${one}`),
  "a secret with a place behind its name": plant(simple, (one) => `export STRIPE_SECRET_PROD=${one}`),
  "a token with a thing behind its name": plant(simple, (one) => `Run it with TOKEN_GITHUB=${one} in front.`),
  "a pass": plant(password, (one) => `user: me, pass: ${one}`),
  "a pass on a line": plant(simple, (one) => `user: me\npass: ${one}\n`),
  "a pw": plant(simple, (one) => `pw=${one}`),
  "a password on the next line": plant(password, (one) => `password:\n  ${one}\nname: me`),
  "a password in a block of YAML": plant(password, (one) => `  password: |\n    ${one}\n`),
  "a row of a table": plant(password, (one) => `| user | me |\n| password | ${one} |\n`),
  "a row of a table as code": plant(letters, (one) => `| **DB password** | \`${one}\` | of the database |`),
  "a call that sets it": plant(simple, (one) => `user.set_password("${one}")`),
  "a call that checks it": plant(password, (one) => `check_password('${one}')`),
  "a pair": plant(password, (one) => `form.set("password", "${one}")`),
  "an address as text": plant(simple, (one) => `next=%2Flogin%3FPASSWORD%3D${one}%26x%3D1`),
  "a passphrase": fc
    .array(fc.constantFrom("correct", "horse", "battery", "staple", "river", "candle"), { minLength: 4, maxLength: 8 })
    .map((words) => words.join(" "))
    .map((one) => ({ text: `passphrase: ${one}`, secret: one })),
  "an own password": plant(said, (one) => `My password is ${one} ok`),
  "a German sentence": plant(said, (one) => `Das Passwort lautet ${one}, bitte.`),
  "a German word": plant(simple, (one) => `Zugang:\nKennwort: ${one}\n`),
  "a Chinese word": plant(simple, (one) => `用户：me\n密码：${one}\n`),
  "a Chinese sentence": plant(
    password.map((one) => `${one}x`),
    (one) => `数据库密码是${one}，请保密`,
  ),
};

const GIVEN_TO_PROGRAMS: Readonly<Record<string, fc.Arbitrary<PlantedSecret>>> = {
  "a query that makes a user": plant(simple, (one) => `CREATE USER me@host IDENTIFIED BY '${one}';`),
  "a query that changes a role": plant(simple, (one) => `ALTER ROLE me WITH PASSWORD '${one}'`),
  "a password for Redis": plant(simple, (one) => `redis-cli -h cache -p 6379 -a ${one} ping`),
  "a key for OpenSSL": plant(simple, (one) => `openssl enc -aes-256-cbc -in a -k ${one} -out b`),
  "a password for OpenSSL": plant(simple, (one) => `openssl rsa -in k.pem -passin pass:${one}`),
  "a password of a web server": plant(simple, (one) => `htpasswd -cb .htpasswd me ${one}`),
  "a password of a web server, printed": plant(simple, (one) => `htpasswd -nb me ${one}`),
  "a password for sudo": plant(simple, (one) => `echo '${one}' | sudo -S systemctl restart it`),
  "a password for sudo after it": plant(simple, (one) => `sudo -S ls <<< "${one}"`),
  "a line of netrc": plant(simple, (one) => `machine example.com login me password ${one}`),
  "an entry of netrc": plant(simple, (one) => `machine example.com\n  login me\n  password ${one}\n`),
};

/** Credentials of every kind that redaction knows, by what to call them in a test. */
export const PLANTED_SECRETS: Readonly<Record<string, fc.Arbitrary<PlantedSecret>>> = {
  "a PEM key": pem("RSA PRIVATE KEY", "\n", true),
  "a PEM key without its end": pem("OPENSSH PRIVATE KEY", "\n", false),
  "a PEM key in JSON": pem("PRIVATE KEY", "\\n", true),
  "a numbered PEM key": plant(
    pemBody("\n     2\t"),
    (body) => `     1\t-----BEGIN EC PRIVATE KEY-----\n     2\t${body}\n`,
  ),
  "an AWS key id": prefixed("AKIA", from(`${CAPITAL}234567`, 16)),
  "an AWS secret key": plant(joined(from(`${WORD}+`, 39), from(DIGITS, 1)), (one) => `aws_secret_access_key = ${one}`),
  "a GitHub token": prefixed("ghp_", word(36)),
  "a fine-grained GitHub token": prefixed("github_pat_", from(`${WORD}_`, 60, 82)),
  "a GitLab token": prefixed("glpat-", wide(20)),
  "a Slack token": prefixed("xoxb-", from(`${DIGITS}-${SMALL}`, 20, 50)),
  "a Slack hook": plant(word(24), (one) => `https://hooks.slack.com/services/T0AB12CD3/B0AB12CD3/${one}`),
  "a Stripe key": prefixed("sk_live_", word(24, 99)),
  "a Google key": prefixed("AIza", wide(35)),
  "an npm token": prefixed("npm_", word(36)),
  "a PyPI token": prefixed("pypi-AgEIcHlwaS5vcmc", wide(60, 120)),
  "an Anthropic key": prefixed("sk-ant-api03-", wide(90)),
  "an OpenAI key": prefixed("sk-proj-", wide(40, 150)),
  "an older OpenAI key": prefixed("sk-", joined(word(47), from(DIGITS, 1))),
  "a JSON web token": plant(fc.tuple(word(20, 60), word(40, 200), wide(43)).map(([a, b, c]) => `eyJ${a}.eyJ${b}.${c}`)),
  "a bearer header": plant(wide(8, 60), (one) => `Authorization: Bearer ${one}`),
  "a bearer header in JSON": plant(wide(8, 60), (one) => `{"authorization":"Bearer ${one}"}`),
  "a basic header": plant(
    fc.tuple(word(4, 9), password).map((pair) => Buffer.from(pair.join(":")).toString("base64")),
    (one) => `curl -H 'Authorization: Basic ${one}' https://example.com`,
  ),
  "a cookie": plant(wide(12, 40), (one) => `Cookie: session=${one}; theme=dark`),
  "an address with a password": plant(password, (one) => `postgres://app:${one}@db.example.com:5432/app`),
  "a connection string": plant(password, (one) => `Server=db;User Id=app;Password=${one};Encrypt=true`),
  "an environment file": plant(word(4, 40), (one) => `DB_PASSWORD=${one}9`),
  "an exported variable": plant(word(8, 40), (one) => `export STRIPE_SECRET="${one}x7"`),
  "a quoted password": plant(joined(from(`${WORD} !?`, 5, 30), from(DIGITS, 1)), (one) => `"password": "${one}"`),
  "a password in escaped JSON": plant(password, (one) => `{\\"password\\":\\"${one}\\"}`),
  "a password in YAML": plant(joined(from(SMALL, 8, 20), from("bcdf", 3)), (one) => `db:\n  password: ${one}\n`),
  "a token in YAML": plant(joined(word(12, 40), from(DIGITS, 1), from(SMALL, 1)), (one) => `  auth_token: ${one}`),
  "a token in a query": plant(
    joined(word(12, 40), from(DIGITS, 1), from(SMALL, 1)),
    (one) => `/x?access_token=${one}&page=2`,
  ),
  "a flag": plant(password, (one) => `deploy --password ${one} --now`),
  "a user of curl": plant(password, (one) => `curl -s -u admin:${one} https://example.com`),
  "a tag": plant(password, (one) => `<password>${one}</password>`),
  "a sentence": plant(password, (one) => `By the way, the password is ${one} for now`),
  "a random token": plant(mixed),
  ...NAMED_OTHERWISE,
  ...GIVEN_TO_PROGRAMS,
};
