import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { wasPruned } from "../model/lives.ts";
import type { Run } from "../model/load.ts";
import type { ChooseTurn } from "./choose-turn.ts";
import { plural } from "./format.ts";
import { useMedia, useSize } from "./hooks.ts";

const HEIGHT_MAX = 150;
const HEIGHT_MIN = 36;
const ROW_PX = 3;

interface OverviewProps {
  readonly run: Run;
  readonly turn: number;
  readonly onTurn: ChooseTurn;
}

/** All chunks of a run in one picture, in order of first appearance from the top; turns from left to right. */
export function Overview({ run, turn, onTurn }: OverviewProps): JSX.Element {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const isDark = useMedia("(prefers-color-scheme: dark)");
  const height = Math.max(HEIGHT_MIN, Math.min(HEIGHT_MAX, run.lives.length * ROW_PX));
  const lastTurn = run.turns.at(-1)?.number ?? 1;
  useEffect(() => {
    if (canvas.current !== null && width > 0) draw(canvas.current, run, width, height);
  }, [run, width, height, isDark]);
  const choose = (event: MouseEvent & { currentTarget: Element }): void => {
    const { left } = event.currentTarget.getBoundingClientRect();
    onTurn(Math.max(1, Math.min(lastTurn, Math.floor(((event.clientX - left) / width) * lastTurn) + 1)));
  };
  const pruned = run.lives.filter(wasPruned).length;
  return (
    <div ref={ref} class="overview" style={{ height: `${height}px` }}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`All chunks over the turns: ${plural(run.lives.length, "chunk")} found, ${pruned} of them pruned`}
        onClick={choose}
      />
      <span class="now-line" aria-hidden="true" style={{ left: `${((turn - 0.5) / lastTurn) * 100}%` }} />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, run: Run, width: number, height: number): void {
  const paint = canvas.getContext("2d");
  if (paint === null) return;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const colors = getComputedStyle(canvas);
  const color = (name: string): string => colors.getPropertyValue(name).trim();
  const column = canvas.width / (run.turns.at(-1)?.number ?? 1);
  const row = canvas.height / Math.max(1, run.lives.length);
  const thickness = Math.max(1, row * 0.85);
  const fill = (style: string, from: number, columns: number, i: number): void => {
    paint.fillStyle = style;
    paint.fillRect((from - 1) * column, i * row, Math.max(1, columns * column), thickness);
  };
  const [shown, found, kept] = [color("--shown"), color("--found"), color("--kept")];
  for (const [i, { spans, inResult }] of run.lives.entries()) {
    for (const { from, to } of spans) fill(inResult ? kept : shown, from, to - from + 1, i);
  }
  for (const [i, { moments }] of run.lives.entries()) {
    for (const { turn, kind } of moments) if (kind === "found" || kind === "readAgain") fill(found, turn, 0.3, i);
  }
}
