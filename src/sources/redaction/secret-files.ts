/** Names of files whose content is secret whatever it looks like; matched against the last part of a path. */
const SECRET_NAME = new RegExp(
  [
    // Environments, templates of them included: what was filled in by mistake is in there as well.
    "^\\.env(?:rc|\\..+|-.+)?$|^(?!process\\.|import\\.|meta\\.).+\\.env$",
    // Keys and key stores. Public halves stay.
    "^id_(?:rsa|dsa|ecdsa|ed25519)(?:[_-]\\w+)?$|\\.(?:pem|key|p8|p12|pfx|jks|keystore|kdbx?|ppk|asc|gpg|age)$",
    // Where tools keep what they log in with.
    "^[._](?:npmrc|yarnrc|yarnrc\\.yml|pypirc|netrc|pgpass|my\\.cnf|git-credentials|dockercfg|htpasswd|vault-token|boto|s3cfg)$",
    "^\\.?credentials?(?:\\.(?:json|ya?ml|toml|ini|csv|db|xml|properties|enc|tfrc\\.json))?$",
    "(?:^|\\.)secrets?(?:\\..+)?\\.(?:json|ya?ml|toml|ini|env|properties|tfvars|enc)$|^\\.?secrets?$",
    "^(?:service[-_]?account|client[-_]secret|gha-creds).{0,100}\\.json$|^auth\\.json$",
    "^kubeconfig(?:\\..+)?$|\\.kubeconfig$|\\.tfvars$|\\.tfstate(?:\\.backup)?$|^master\\.key$|^shadow$",
  ].join("|"),
  "i",
);
/** Paths that are secret by the folder they lie in. */
const SECRET_PLACE =
  /(?:^|\/)(?:\.kube\/config|\.docker\/config\.json|\.aws\/(?:credentials|config|sso\/.+)|\.gnupg\/.+|\.ssh\/(?!known_hosts|config$|authorized_keys|.+\.pub$)[^/]+|proc\/(?:self|\d+)\/environ)$/i;
const PATH_UNITS_MAX = 1_000;
/** What stands between the words of a command line. */
const BETWEEN_WORDS = /[\s"'`=;|&<>(){},@]+/;
/** The last part of a path whose content is secret by its name (`.env`, `id_rsa`, …); undefined for any other. */
export function secretFileName(path: string): string | undefined {
  if (path.length > PATH_UNITS_MAX || path.includes("\n")) return undefined;
  const plain = path
    .trim()
    .replaceAll("\\", "/")
    .replace(/[:*?]+$/, "");
  const name = plain.slice(plain.lastIndexOf("/") + 1);
  return name !== "" && (SECRET_NAME.test(name) || SECRET_PLACE.test(plain)) ? name : undefined;
}

/** The first secret file that a command line names. Naming is enough: what it does with it cannot be known. */
export function secretFileInCommand(command: string): string | undefined {
  for (const word of command.split(BETWEEN_WORDS)) {
    const name = secretFileName(word) ?? secretFileName(word.slice(word.lastIndexOf(":") + 1));
    if (name !== undefined) return name;
  }
  return undefined;
}

/** What stands in place of the content of such a file. */
export const contentsOf = (name: string): string => `[redacted: contents of ${name}]`;

/** How tools that show several files introduce a part: of a difference, of `head` and `tail`. */
const SECTION = /^(?:diff --git a\/.{1,500}? b\/(.{1,500})|(?:\+\+\+|---) (?:[ab]\/)?(.{1,500})|==> (.{1,500}) <==)$/;
/** A line found by a search: `path:12:text`, `path-12-text`, `path:text`. */
const FOUND_LINE = /^([^\s:][^:\n]{0,500}?)(?::\d+:|-\d+-|:)/;

/**
 * Output of a tool without the parts that come from secret files: sections of a difference, of `head` and `tail`, and
 * lines that a search found in them. One pass; other lines stay as they are.
 */
export function withoutSecretSections(output: string): { readonly text: string; readonly hidden: number } {
  const kept: string[] = [];
  let hidden = 0;
  let inside: string | undefined;
  let last: string | undefined;
  for (const line of output.split("\n")) {
    const section = SECTION.exec(line);
    if (section !== null) inside = secretFileName(section[1] ?? section[2] ?? section[3] ?? "");
    const name = section === null ? (inside ?? secretOfFoundLine(line)) : undefined;
    if (name === undefined) kept.push(line);
    else if (name !== last) {
      kept.push(contentsOf(name));
      hidden++;
    }
    last = name;
  }
  return { text: kept.join("\n"), hidden };
}

function secretOfFoundLine(line: string): string | undefined {
  const path = FOUND_LINE.exec(line)?.[1];
  return path === undefined ? undefined : secretFileName(path);
}
