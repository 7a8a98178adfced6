import { measureJson } from "../../sources/files/json-nesting.ts";
import type { Chance } from "./chance.ts";

/** JSON as it is written: members may come twice, and a leaf may be text that no writer of JSON would give. */
type Node =
  | { kind: "object"; members: { key: string; value: Node }[] }
  | { kind: "array"; items: Node[] }
  | { kind: "leaf"; text: string };

const NESTING = 10_000;
/** Text that nests deeper is no tree to walk. */
const WALKED_DEPTH_MAX = 500;
const LONG_UNITS_MAX = 50_000;
/** What stands in place of a value: another type, a number at the edge, a key that is a trap. */
const LEAVES: readonly [string, ...string[]] = [
  "null",
  "true",
  "0",
  "-1",
  "-0",
  "1.5",
  "1e999",
  "-1e999",
  "1e-999",
  "9007199254740993",
  "99999999999999999999999999999999",
  "NaN",
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u001b[31m"',
  '"\\u202e"',
  '"a\\nb"',
  '"../../etc/passwd"',
  '"__proto__"',
  '"1969-12-31T23:59:60Z"',
  '"2026-02-30"',
  '"+275760-09-13T00:00:00.001Z"',
  "[]",
  "{}",
  "[[]]",
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toJSON":1,"then":1,"length":-1}',
];
const KEYS: readonly [string, ...string[]] = [
  "__proto__",
  "constructor",
  "toString",
  "",
  " ",
  "\u0000",
  "\ud800",
  "0",
  "length",
  "type",
];

function treeOf(value: unknown): Node {
  if (Array.isArray(value)) return { kind: "array", items: value.map(treeOf) };
  if (typeof value !== "object" || value === null) return { kind: "leaf", text: JSON.stringify(value) ?? "null" };
  return { kind: "object", members: Object.entries(value).map(([key, item]) => ({ key, value: treeOf(item) })) };
}

function textOf(node: Node): string {
  if (node.kind === "leaf") return node.text;
  if (node.kind === "array") return `[${node.items.map(textOf).join(",")}]`;
  return `{${node.members.map(({ key, value }) => `${JSON.stringify(key)}:${textOf(value)}`).join(",")}}`;
}

/** Every place of a tree: the node there, and how to put another in its stead. */
interface Place {
  readonly node: Node;
  replace(by: Node): void;
}

function placesOf(root: { node: Node }): Place[] {
  const places: Place[] = [];
  const visit = (node: Node, replace: (by: Node) => void): void => {
    places.push({ node, replace });
    if (node.kind === "array") {
      const { items } = node;
      for (const [i, item] of items.entries()) visit(item, (by) => items.splice(i, 1, by));
    } else if (node.kind === "object") {
      for (const member of node.members) {
        visit(member.value, (by) => {
          member.value = by;
        });
      }
    }
  };
  visit(root.node, (by) => {
    root.node = by;
  });
  return places;
}

const leaf = (text: string): Node => ({ kind: "leaf", text });

type Edit = (place: Place, chance: Chance, all: readonly Place[]) => void;

const EDITS: readonly [Edit, ...Edit[]] = [
  function retype({ replace }, chance) {
    replace(leaf(chance.of(LEAVES)));
  },
  function drop({ node, replace }, chance) {
    if (node.kind === "array") node.items.splice(chance.below(node.items.length), 1);
    else if (node.kind === "object") node.members.splice(chance.below(node.members.length), 1);
    else replace(leaf("null"));
  },
  function duplicate({ node }, chance) {
    const list: unknown[] = node.kind === "array" ? node.items : node.kind === "object" ? node.members : [];
    const one = list[chance.below(list.length)];
    if (one !== undefined) for (let left = chance.bulk(300); left > 0; left--) list.push(one);
  },
  function reorder({ node }, chance) {
    const list: unknown[] = node.kind === "array" ? node.items : node.kind === "object" ? node.members : [];
    if (list.length > 1) list.unshift(...list.splice(chance.below(list.length), chance.size(list.length)));
  },
  function rename({ node }, chance) {
    if (node.kind !== "object") return;
    const member = node.members[chance.below(node.members.length)];
    if (member !== undefined) member.key = chance.of(KEYS);
  },
  function add({ node }, chance) {
    if (node.kind === "array") node.items.push(leaf(chance.of(LEAVES)));
    else if (node.kind === "object") node.members.push({ key: chance.of(KEYS), value: leaf(chance.of(LEAVES)) });
  },
  function exchange({ node, replace }, chance, all) {
    const other = all[chance.below(all.length)];
    if (other === undefined) return;
    // As text: a tree that holds itself would have no end.
    const [one, two] = [leaf(textOf(node)), leaf(textOf(other.node))];
    replace(two);
    if (chance.happens(0.5)) other.replace(one);
  },
  function wrap({ node, replace }, chance) {
    replace(chance.happens(0.5) ? { kind: "array", items: [leaf(textOf(node))] } : leaf(`{"value":${textOf(node)}}`));
  },
  function numbers({ node, replace }, chance) {
    if (node.kind !== "leaf" || !/^-?\d/.test(node.text)) return;
    const value = Number(node.text);
    replace(leaf(chance.of([String(-value), String(value + 1), String(value * 1e15), `${node.text}.5`, `"${value}"`])));
  },
  function long({ node, replace }, chance) {
    const text = node.kind === "leaf" && node.text.startsWith('"') ? node.text.slice(1, -1) : "x";
    if (text !== "") replace(leaf(`"${text.repeat(chance.bulk(Math.ceil(LONG_UNITS_MAX / text.length)))}"`));
  },
];

const NESTS: readonly [readonly [open: string, close: string], ...(readonly [open: string, close: string])[]] = [
  ["[", "]"],
  ['{"a":', "}"],
  ['[{"a":', "}]"],
];

function nested(chance: Chance): string {
  const [open, close] = chance.of(NESTS);
  return `${open.repeat(NESTING)}0${chance.happens(0.8) ? close.repeat(NESTING) : ""}`;
}

/** Share of the changes that nest a value `NESTING` deep; each makes the input long. */
const NESTING_SHARE = 0.02;

/** JSON with values dropped, doubled, of another type, in another place, or nested deep; undefined for what is no JSON, or too deep already. */
export function mutateJson(text: string, chance: Chance): string | undefined {
  if (measureJson(text).depth > WALKED_DEPTH_MAX) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const root = { node: treeOf(value) };
  for (let left = chance.size(6); left > 0; left--) {
    const places = placesOf(root);
    const place = places[chance.below(places.length)];
    if (place === undefined) break;
    if (chance.happens(NESTING_SHARE)) place.replace(leaf(nested(chance)));
    else chance.of(EDITS)(place, chance, places);
  }
  return textOf(root.node);
}
