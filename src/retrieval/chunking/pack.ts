import type { ChunkLimits } from "./limits.ts";
import type { Measure, Piece } from "./measure.ts";
import type { Block, Node, Section } from "./node.ts";
import { splitBlock } from "./split-block.ts";

/** Neighbouring pieces that become one chunk. */
export interface Group {
  readonly pieces: readonly Piece[];
  readonly tokens: number;
}

/** Groups that came from one child, with what decides whether they may be joined to a neighbour. */
interface Packed {
  readonly groups: readonly Group[];
  readonly isSection: boolean;
}

/**
 * Gathers the pieces of a document into groups of about the target size. What belongs together stays together: a child
 * that fits is never torn, neighbours that fit are joined, and only what does not fit is opened.
 */
export class Packer {
  readonly #text: string;
  readonly #measure: Measure;
  readonly #limits: ChunkLimits;

  constructor(text: string, measure: Measure, limits: ChunkLimits) {
    this.#text = text;
    this.#measure = measure;
    this.#limits = limits;
  }

  packSection(section: Section): readonly Group[] {
    const inner = this.#packNodes(section.children);
    if (section.heading === undefined) return inner;
    const { start, end } = section.heading;
    const heading = this.#packBlock({ type: "block", start, end, splitter: SENTENCES, keepWhole: false }, true);
    const [first, ...rest] = inner;
    if (first === undefined) return heading;
    const fits = heading.length === 1 && (heading[0]?.tokens ?? 0) <= this.#limits.headingTokensMax;
    return fits ? [join([...heading, first]), ...rest] : [...heading, ...inner];
  }

  #packBlock(block: Block, isHeading = false): readonly Group[] {
    const limit = block.keepWhole ? this.#limits.wholeBlockTokens : this.#limits.targetTokens;
    // What should stay whole is counted even when it looks too large.
    const units = this.#measure.unitsFor(limit) * (block.keepWhole ? 3 : 1);
    if (block.end - block.start <= units) {
      const piece = this.#measure.piece(block, isHeading);
      if (piece.tokens <= limit) return [{ pieces: [piece], tokens: piece.tokens }];
    }
    const parts = splitBlock(this.#text, block, units);
    if (parts.length > 1) return this.#packNodes(parts);
    const piece = this.#measure.piece(block, isHeading);
    return [{ pieces: [piece], tokens: piece.tokens }];
  }

  #packNodes(nodes: readonly Node[]): readonly Group[] {
    const packed = nodes.map((node): Packed => {
      const isSection = node.type === "section";
      return { groups: isSection ? this.packSection(node) : this.#packBlock(node), isSection };
    });
    return this.#join(this.#carryHeadings(packed));
  }

  /** Headings without any text below them are carried along to the next sibling, so that no chunk ends with one. */
  #carryHeadings(packed: readonly Packed[]): readonly Packed[] {
    const result: Packed[] = [];
    let carried: OpenGroup | undefined;
    for (const [index, { groups, isSection }] of packed.entries()) {
      const [first, ...rest] = groups;
      if (first === undefined) continue;
      const onlyHeadings = rest.length === 0 && first.pieces.every((piece) => piece.isHeading);
      const tokens = (carried?.tokens ?? 0) + first.tokens;
      const carry = onlyHeadings && index < packed.length - 1 && tokens <= this.#limits.headingTokensMax;
      if (carried === undefined && carry) carried = new OpenGroup(first);
      else carried?.add(first);
      if (carry) continue;
      result.push({ groups: [carried ?? first, ...rest], isSection });
      carried = undefined;
    }
    return result;
  }

  /** Joins neighbours up to a size at which the groups come out alike, so that no small rest is left at the end. */
  #join(packed: readonly Packed[]): readonly Group[] {
    const { targetTokens, tinyTokens } = this.#limits;
    const total = packed.reduce(
      (sum, { groups }) => sum + groups.reduce((tokens, group) => tokens + group.tokens, 0),
      0,
    );
    const even = Math.ceil(total / Math.max(1, Math.ceil(total / targetTokens)));
    const joined: OpenGroup[] = [];
    let openToSections = true;
    for (const { groups, isSection } of packed) {
      for (const [index, group] of groups.entries()) {
        const last = joined.at(-1);
        const related = isSection ? index === 0 && groups.length === 1 && openToSections : true;
        const small = last !== undefined && index === 0 && Math.min(last.tokens, group.tokens) <= tinyTokens;
        const fits = last !== undefined && last.tokens < even && last.tokens + group.tokens <= targetTokens;
        if (last !== undefined && fits && (related || small)) last.add(group);
        else joined.push(new OpenGroup(group));
      }
      // The rest of what had to be opened is not joined to the next section; blocks have no such bounds.
      openToSections = groups.length === 1;
    }
    return joined;
  }
}

const SENTENCES = { kind: "prose", level: "sentences" } as const;

class OpenGroup implements Group {
  readonly pieces: Piece[];
  tokens: number;

  constructor(group: Group) {
    this.pieces = [...group.pieces];
    this.tokens = group.tokens;
  }

  add(group: Group): void {
    for (const piece of group.pieces) this.pieces.push(piece);
    this.tokens += group.tokens;
  }
}

function join(groups: readonly Group[]): Group {
  return {
    pieces: groups.flatMap((group) => group.pieces),
    tokens: groups.reduce((sum, group) => sum + group.tokens, 0),
  };
}

/**
 * Joins chunks too small to stand alone to a neighbour: one that begins with a heading to the next, others to the
 * previous, else to the other side; where neither has room it stays.
 */
export function absorbTiny(groups: readonly Group[], limits: ChunkLimits): readonly Group[] {
  const roomTokens = limits.targetTokens + limits.tinyTokens;
  const result: Group[] = [];
  let carried: Group | undefined;
  for (const [index, own] of groups.entries()) {
    const group: Group = carried === undefined ? own : join([carried, own]);
    carried = undefined;
    const previous = result.at(-1);
    const next = groups[index + 1];
    const fitsNext = next !== undefined && group.tokens + next.tokens <= roomTokens;
    const fitsPrevious = previous !== undefined && previous.tokens + group.tokens <= roomTokens;
    const forward = group.pieces[0]?.isHeading === true || !fitsPrevious;
    if (group.tokens > limits.tinyTokens || !(fitsNext || fitsPrevious)) result.push(group);
    else if (fitsNext && forward) carried = group;
    else if (fitsPrevious && previous !== undefined) result[result.length - 1] = join([previous, group]);
    else result.push(group);
  }
  return result;
}
