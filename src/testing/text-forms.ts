/**
 * Texts by their form, for tests of what tells noise from what people read. Each has the length of a chunk, give or take.
 * Words are drawn in turn from small lists, so that lines differ as they do in real files.
 */

const THINGS = "harbour berth crane ferry buoy anchor pilot tide quay cargo lantern rope".split(" ");
const ACTS = "load open close check renew count paint lock release order repair measure".split(" ");
const PEOPLE = "mara ilse tomas edda ruben pia".split(" ");

const thing = (i: number): string => THINGS[i % THINGS.length] ?? "";
const act = (i: number): string => ACTS[(i * 5 + 3) % ACTS.length] ?? "";
const person = (i: number): string => PEOPLE[(i * 7) % PEOPLE.length] ?? "";
const Thing = (i: number): string => thing(i).charAt(0).toUpperCase() + thing(i).slice(1);
const two = (i: number): string => String(i % 60).padStart(2, "0");
/** The same digits in base 16 for the same number, as many as are asked for. */
const hex = (i: number, digits: number): string => mixed(i, digits, "0123456789abcdef");
const base64 = (i: number, units: number): string =>
  mixed(i, units, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

function mixed(seed: number, units: number, alphabet: string): string {
  let state = (seed + 1) * 2_654_435_761;
  let text = "";
  while (text.length < units) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += alphabet.charAt((state >>> 9) % alphabet.length);
  }
  return text;
}

function lines(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => line(i)).join("\n");
}

export const LOGS: readonly string[] = [
  (i: number) => `2026-03-04T10:${two(i)}:07.120Z INFO  ${thing(i)}: ${act(i)} took ${i * 13} ms`,
  (i: number) =>
    `10.0.0.${i} - ${person(i)} [04/Mar/2026:10:${two(i)}:09 +0000] "GET /${thing(i)}/${i} HTTP/1.1" 200 ${i * 97}`,
  (i: number) => `Mar  4 10:${two(i)}:11 quay-1 ${thing(i)}d[${900 + i}]: session opened for user ${person(i)}`,
  (i: number) => `{"level":"info","time":${1_772_618_400 + i},"msg":"${act(i)} the ${thing(i)}","id":${i}}`,
  (i: number) => `level=warn ts=10:${two(i)} component=${thing(i)} msg="slow ${act(i)}" took=${i}ms`,
  (i: number) =>
    `[${two(i)}:12] ERROR ${Thing(i)}Service.${act(i)}(${Thing(i)}Service.java:${40 + i}) failed: queue full`,
  (i: number) => `    at ${Thing(i)}.${act(i)} (/srv/app/src/${thing(i)}/${act(i)}.js:${i + 10}:${i + 3})`,
  (i: number) => `  File "/srv/app/${thing(i)}.py", line ${i + 20}, in ${act(i)}`,
  (i: number) => `ok ${i + 1} - ${act(i)}s the ${thing(i)} # time=${i}ms`,
  (i: number) => `tests/test_${thing(i)}.py::test_${act(i)} PASSED                    [ ${two(i)}%]`,
  (i: number) => `[${i + 1}/24] Compiling ${thing(i)}_${act(i)} v0.${i}.1`,
  (i: number) => `${hex(i, 40)} ${person(i)} ${act(i)} the ${thing(i)} before the tide`,
  (i: number) =>
    `I0304 10:${two(i)}:13.4421 7 ${thing(i)}_controller.go:${i + 100}] "${act(i)}" ${thing(i)}="${thing(i + 1)}-${i}"`,
  (i: number) => `<${i % 8}>[  ${i}.${two(i)}1204] usb 1-${i}: new ${thing(i)} found at port ${i}`,
  (i: number) => `GET https://harbour.example/api/${thing(i)}/${i} 200 in ${i * 3} ms for ${person(i)}`,
  (i: number) => `${person(i)}@quay:~$ ${act(i)} --${thing(i)} ${i}\n${act(i)}: done`,
  (i: number) => `query ${i}: select * from ${thing(i)} where ${act(i)}_at < now() -- ${i * 11} rows`,
  (i: number) => `Step ${i + 1}/24 : RUN ${act(i)} --no-cache ${thing(i)}\n ---> ${hex(i, 12)}`,
  (i: number) => `| ${two(i)}:10 | ${person(i)} joined #${thing(i)} and said: ${act(i)} it, please`,
  (i: number) => `trace=${hex(i, 32)} span=${hex(i + 9, 16)} ${act(i)} ${thing(i)} ${i}ms`,
  (i: number) => `npm warn deprecated ${thing(i)}-${act(i)}@${i}.0.2: use ${thing(i + 1)} instead`,
].map((line) => lines(24, line));

const columns = (i: number): string[] => [Thing(i), act(i), String(i * 17), person(i)];
export const TABLES: readonly string[] = [
  (i: number) => `| ${columns(i).join(" | ")} |`,
  (i: number) => columns(i).join(","),
  (i: number) => columns(i).join("\t"),
  (i: number) => columns(i).join(";"),
  (i: number) =>
    columns(i)
      .map((cell) => cell.padEnd(12))
      .join(""),
  (i: number) => `│ ${columns(i).join(" │ ")} │`,
  (i: number) => `${columns(i).join(" | ")} |`,
  (i: number) => `| \`${act(i)}_${thing(i)}\` | number | ${i} | How many a ${thing(i)} may ${act(i)} at once. |`,
  (i: number) => `| [${Thing(i)}](${thing(i)}.md) | ${act(i)} | ${i} EUR a day, without the pilot |`,
  (i: number) => `+${"-".repeat(12)}+${"-".repeat(12)}+\n| ${Thing(i).padEnd(10)} | ${act(i).padEnd(10)} |`,
  (i: number) => `${i + 1}. ${Thing(i)} ${i * 3} ${i * 5} ${i * 7}`,
  (i: number) => `${i}\t${i * 2}\t${i * 3}\t${i * 5}\t${i * 7}\t${i * 11}`,
  (i: number) => `${(i / 7).toFixed(4)} ${(i / 3).toFixed(4)} ${(i / 11).toFixed(4)} ${(i / 13).toFixed(4)}`,
  (i: number) => `name: ${thing(i)}\nvalue: ${i}\nunit: tonnes`,
  (i: number) => `{"name":"${thing(i)}","act":"${act(i)}","count":${i},"by":"${person(i)}"}`,
  (i: number) => `"${Thing(i)}","${act(i)} it","${i}","2026-03-${two(i + 1)}"`,
  (i: number) => `| ${two(i)}:00 | ${two(i + 7)}:30 | ${Thing(i)} | platform ${i} |`,
  (i: number) => `${Thing(i)} .... ${act(i)} by ${person(i)}, ${i} times a week`,
  (i: number) => `:${thing(i)}: ${act(i)} (default ${i})`,
  (i: number) => `| ${i} | ${i * 2} | ${i * 3} | ${i * 4} | ${i * 5} | ${i * 6} |`,
  (i: number) => `${thing(i)}-${i}: ${hex(i, 8)} ${act(i)} ok`,
].map((row) => lines(24, row));

export const CHANGELOGS: readonly string[] = [
  (i: number) => `- Fix ${act(i)} of a ${thing(i)} that has no ${thing(i + 1)}.`,
  (i: number) => `* ${act(i)} ${thing(i)} (#${i + 100})`,
  (i: number) =>
    `- **${thing(i)}:** ${act(i)} the ${thing(i + 2)} only once ([#${i}](https://harbour.example/pull/${i}))`,
  (i: number) => `## 1.${i}.0\n\n- ${Thing(i)}: ${act(i)} is faster by a third.`,
  (i: number) => `### Added\n- ${Thing(i)} can ${act(i)}`,
  (i: number) => `- [x] ${Thing(i)}: ${act(i)} before ${act(i + 1)}`,
  (i: number) => `${i + 1}. ${Thing(i)}s no longer ${act(i)} on their own`,
  (i: number) => `  o ${Thing(i)}: fixed a crash in ${act(i)}()`,
  (i: number) => `2026-03-${two(i + 1)}  ${person(i)}\n\n\t* ${thing(i)}.c (${act(i)}): Handle the empty case.`,
  (i: number) => `- feat(${thing(i)}): ${act(i)} by name (${hex(i, 7)})`,
  (i: number) => `- ${hex(i, 7)}: ${Thing(i)} now ${act(i)}s`,
  (i: number) => `• ${Thing(i)}`,
  (i: number) => `- ${thing(i)}`,
  (i: number) => `- Upgrade ${thing(i)} from ${i}.1.0 to ${i}.2.0`,
  (i: number) => `* Removed: \`${act(i)}_${thing(i)}\`, use \`${act(i)}\` instead`,
  (i: number) => `- ${Thing(i)}: ${act(i)}. Thanks to @${person(i)} in https://harbour.example/pull/${i}`,
  (i: number) => `v0.${i}: ${act(i)}, ${act(i + 1)} and ${act(i + 2)} of ${thing(i)}s`,
  (i: number) => `- ${Thing(i)} (breaking): \`${act(i)}({ ${thing(i)} })\` takes an object`,
  (i: number) => `Version ${i}.0\n  - ${act(i)} the ${thing(i)}\n  - see docs/${thing(i)}.md`,
  (i: number) => `> ${person(i)}: ${act(i)} ${thing(i)} ${i}`,
  (i: number) => `- ${Thing(i)}: see [the guide](guide/${thing(i)}.md) on how to ${act(i)} it`,
].map((entry) => lines(16, entry));

export const CODE: readonly string[] = [
  (i: number) =>
    `export function ${act(i)}${Thing(i)}(${thing(i)}: ${Thing(i)}): number {\n  return ${thing(i)}.${act(i)} + ${i};\n}\n`,
  (i: number) =>
    `def ${act(i)}_${thing(i)}(self, ${thing(i)}):\n    """${act(i)}s it."""\n    return self.${thing(i)}[${i}]\n`,
  (i: number) => `func (h *Harbour) ${Thing(i)}(ctx context.Context) error {\n\treturn h.${act(i)}(ctx, ${i})\n}\n`,
  (i: number) =>
    `fn ${act(i)}_${thing(i)}(x: &${Thing(i)}) -> Result<u${i}, Error> {\n    x.${act(i)}()?.${thing(i)}()\n}\n`,
  (i: number) =>
    `static int ${act(i)}_${thing(i)}(struct ${thing(i)} *p) {\n  if (!p) return -${i};\n  return p->${act(i)};\n}\n`,
  (i: number) => `public ${Thing(i)} ${act(i)}(${Thing(i)} value) { return this.${thing(i)}.get(${i}); }`,
  (i: number) => `#define ${act(i).toUpperCase()}_${thing(i).toUpperCase()} 0x${hex(i, 4)}`,
  (i: number) => `.${thing(i)}-${i} { color: #${hex(i, 6)}; margin: ${i}px; }`,
  (i: number) => `<li class="${thing(i)}"><a href="#${act(i)}">${Thing(i)} ${i}</a></li>`,
  (i: number) => `import { ${act(i)}${Thing(i)} } from "./${thing(i)}/${act(i)}.ts";`,
  (i: number) => `${thing(i)}:\n  ${act(i)}: ${i}\n  image: harbour/${thing(i)}:${i}`,
  (i: number) => `[${thing(i)}.${act(i)}]\ntimeout = ${i}\nname = "${person(i)}"`,
  (i: number) => `SELECT ${thing(i)}, count(*) FROM ${act(i)} WHERE id > ${i} GROUP BY 1;`,
  (i: number) =>
    `  "${thing(i)}-${act(i)}": {\n    "version": "${i}.0.1",\n    "integrity": "sha512-${base64(i, 86)}==",\n    "resolved": "registry/${thing(i)}/-/${thing(i)}-${i}.0.1.tgz",\n    "engines": { "node": ">= ${i}" }\n  },`,
  (i: number) =>
    `export ${act(i).toUpperCase()}_DIR="$HOME/${thing(i)}"\nmkdir -p "$${act(i).toUpperCase()}_DIR" || exit ${i}`,
  (i: number) => `  mov eax, ${i}\n  call ${act(i)}_${thing(i)}\n  jne .L${i}`,
  (i: number) => `\\section{${Thing(i)}} \\label{sec:${thing(i)}} $x_{${i}} = \\frac{${i}}{2}$`,
  (i: number) => `(defn ${act(i)}-${thing(i)} [x] (-> x (${act(i)} ${i}) (conj :${thing(i)})))`,
  (i: number) => `const ${act(i)}The${Thing(i)}WhenTheTideIsHighEnoughForThePilot = ${i};`,
  (i: number) => `case "${thing(i)}": return { kind: "${act(i)}", size: ${i}, next: [${i}, ${i + 1}] };`,
  (i: number) => `{ "id": ${i}, "name": "${Thing(i)}", "tags": ["${act(i)}", "${thing(i + 1)}"] },`,
].map((part) => lines(12, part));

export const PROSE: readonly string[] = THINGS.flatMap((_, n) => [
  `# ${Thing(n)}\n\n${lines(6, (i) => `Before anybody may ${act(i + n)} a ${thing(i + n)}, the ${thing(i + n + 1)} has to be seen by two people, because the last ${thing(i + n + 2)} was lost when nobody had looked at it. [How](${thing(i)}.md)`)}`,
  `${lines(6, (i) => `- [${Thing(i + n)}](${thing(i + n)}.md): what to do when the ${thing(i + n + 1)} does not ${act(i + n)}, and whom to ask about it at night`)}`,
]);

/** Lists of links, tables of contents, indexes of names and words, packed programs, encoded data. */
export const NOISE: readonly string[] = [
  lines(20, (i) => `- [${Thing(i)} and ${thing(i + 1)}](guide/${thing(i)}.md)`),
  lines(20, (i) => `* [[${thing(i)}-${act(i)}]]`),
  lines(20, (i) => `https://harbour.example/guide/${thing(i)}/${act(i)}.html`),
  lines(20, (i) => `  - [How to ${act(i)} a ${thing(i)}](#how-to-${act(i)}-a-${thing(i)})`),
  `# Reference\n\n## Classes\n\n${lines(20, (i) => `[${Thing(i)}](api/${thing(i)}.md) | [${Thing(i + 1)}.${act(i)}](api/${thing(i)}.md#${act(i)})`)}`,
  lines(20, (i) => `[${thing(i)}-${i}]: https://harbour.example/${thing(i)}/compare/v1.${i}.0...v1.${i + 1}.0`),
  lines(20, (i) => `<https://harbour.example/${thing(i)}> 2026-03-${two(i + 1)}`),
  lines(20, (i) => `${i + 1}.${i % 4} ${Thing(i)} of the ${thing(i + 1)} ${".".repeat(30 - (i % 9))} ${i * 3 + 1}`),
  lines(20, (i) => `${Thing(i)} . . . . . . . . . . . . . ${i + 1}`),
  lines(20, (i) => `${act(i)}() (harbour.${Thing(i)} method)`),
  lines(20, (i) => `${act(i)}_${thing(i)}() (in module harbour.${thing(i)}), [1]`),
  lines(20, (i) => `${thing(i)} (harbour.${Thing(i)} attribute)`),
  `Search.setIndex({docnames:[${lines(60, (i) => `"guide/${thing(i)}",`).replaceAll("\n", "")}],terms:{${lines(80, (i) => `${act(i)}${thing(i)}:[${i},${i + 3}],`).replaceAll("\n", "")}}})`,
  `{"version":"2.3.9","fields":["title","body"],"fieldVectors":[${lines(60, (i) => `["title/${i}",[${i},${i + 2}.${i}]],`).replaceAll("\n", "")}]}`,
  `!function(t,e){"use strict";${lines(60, (i) => `var a${i}=t.${thing(i)}(e[${i}]);if(!a${i}){throw(e.${act(i)})}`).replaceAll("\n", "")}}(window);`,
  lines(60, (i) => `.${thing(i)}-${i}{margin:${i}px;color:#${hex(i, 6)}}`).replaceAll("\n", ""),
  `<svg><g>${lines(40, (i) => `<path d="M${i},${i}L${i + 4},${i}z"id="p${i}"/>`).replaceAll("\n", "")}</g></svg>`,
  `module.exports=[${lines(50, (i) => `{k:"${thing(i)}",f:function(n){return(n+${i})}},`).replaceAll("\n", "")}];`,
  lines(20, (i) => base64(i, 64)),
  `data:image/png;base64,${base64(7, 1_500)}`,
  `-----BEGIN CERTIFICATE-----\n${lines(18, (i) => base64(i + 50, 64))}\n-----END CERTIFICATE-----`,
  hex(3, 1_200),
  lines(20, (i) => `${hex(i, 64)}  ${thing(i)}.tar`),
  lines(20, (i) => `${hex(i, 8)}: ${lines(8, (j) => hex(i * 8 + j, 4)).replaceAll("\n", " ")}`),
];
