import type { JSX } from "preact";
import { type ChunkLife, type DocumentLives, type MomentKind, visibleCounts } from "../model/lives.ts";
import type { ChooseTurn } from "./choose-turn.ts";

/** Shades that a document's lane tells its counts by; more could not be told apart. */
const SHADES = 4;

interface Path {
  readonly name: string;
  readonly d: string;
}

/** Where the mark of a moment stands in its column, which is 1 wide and 1 high. */
const MOMENT_SHAPES: Readonly<
  Record<MomentKind, { readonly y: number; readonly width: number; readonly height: number }>
> = {
  found: { y: 0.1, width: 0.4, height: 0.8 },
  readAgain: { y: 0.1, width: 0.4, height: 0.8 },
  pruned: { y: 0.1, width: 0.3, height: 0.8 },
  again: { y: 0.02, width: 0.9, height: 0.14 },
  hidden: { y: 0.84, width: 0.9, height: 0.14 },
};

const box = (x: number, y: number, width: number, height: number): string => `M${x} ${y}h${width}v${height}h${-width}z`;

/** One path for each kind of mark, however many there are: a screen of rows must be drawn within a frame. */
function chunkPaths({ moments, spans }: ChunkLife, lastTurn: number): readonly Path[] {
  const from = (moments[0]?.turn ?? 1) - 1;
  const paths: Path[] = [{ name: "known", d: box(from, 0.46, lastTurn - from, 0.08) }];
  const shown = spans.map((span) => box(span.from - 1, 0.2, span.to - span.from + 1, 0.6));
  if (shown.length > 0) paths.push({ name: "shown", d: shown.join("") });
  const marks = new Map<MomentKind, string>();
  for (const { turn, kind } of moments) {
    const { y, width, height } = MOMENT_SHAPES[kind];
    marks.set(kind, (marks.get(kind) ?? "") + box(turn - 1, y, width, height));
  }
  for (const [name, d] of marks) paths.push({ name, d });
  return paths;
}

function documentPaths({ lives }: DocumentLives, lastTurn: number): readonly Path[] {
  const counts = visibleCounts(lives, lastTurn);
  const most = Math.max(1, ...counts);
  const shades = Array.from({ length: SHADES }, () => "");
  for (let turn = 1; turn < counts.length; ) {
    const shade = shadeOf(counts[turn] ?? 0, most);
    let to = turn;
    while (to < lastTurn && shadeOf(counts[to + 1] ?? 0, most) === shade) to++;
    if (shade >= 0) shades[shade] += box(turn - 1, 0.2, to - turn + 1, 0.6);
    turn = to + 1;
  }
  return shades.flatMap((d, shade) => (d === "" ? [] : [{ name: `heat shade-${shade + 1}`, d }]));
}

const shadeOf = (count: number, most: number): number => Math.ceil((count / most) * SHADES) - 1;

const known = new WeakMap<object, readonly Path[]>();

function once(key: object, make: () => readonly Path[]): readonly Path[] {
  const paths = known.get(key) ?? make();
  known.set(key, paths);
  return paths;
}

interface LaneProps {
  readonly of: ChunkLife | DocumentLives;
  readonly lastTurn: number;
  readonly onTurn: ChooseTurn;
}

/** What became of a chunk, or of the chunks of a document, from the first turn to the last. */
export function Lane({ of, lastTurn, onTurn }: LaneProps): JSX.Element {
  const paths = once(of, () => ("chunk" in of ? chunkPaths(of, lastTurn) : documentPaths(of, lastTurn)));
  return (
    <svg
      class="lane"
      viewBox={`0 0 ${lastTurn} 1`}
      preserveAspectRatio="none"
      aria-hidden="true"
      onClick={(event) => onTurn(turnAt(event, lastTurn))}
    >
      {paths.map(({ name, d }) => (
        <path key={name} class={name} d={d} />
      ))}
    </svg>
  );
}

function turnAt(event: MouseEvent & { currentTarget: Element }, lastTurn: number): number {
  const { left, width } = event.currentTarget.getBoundingClientRect();
  const turn = Math.floor(((event.clientX - left) / width) * lastTurn) + 1;
  return Math.max(1, Math.min(lastTurn, turn));
}
