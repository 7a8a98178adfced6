import type { JSX } from "preact";
import type { BudgetPoint, BudgetSeries } from "../model/budget.ts";
import type { ChooseTurn } from "./choose-turn.ts";
import { count, thousands } from "./format.ts";
import { useSize } from "./hooks.ts";

const HEIGHT = 132;
const TOP = 8;
const BOTTOM = 18;
const LEFT = 4;
/** Room for the names of the lines. */
const RIGHT = 84;
const LABEL_GAP = 13;
/** Width of a turn; short runs leave the rest empty. */
const BAR_MAX = 64;
const TICKS_EVERY = [1, 2, 5, 10, 20, 50, 100, 200];
const TICK_ROOM = 34;
const PAGE_TURNS = 10;

interface ChartProps {
  readonly budget: BudgetSeries;
  readonly turn: number;
  readonly onTurn: ChooseTurn;
  readonly label?: string;
}

/** Prompt tokens over the turns against the lines that bind them. A slider: arrow keys choose the turn. */
export function BudgetChart({ budget, turn, onTurn, label = "Prompt tokens by turn" }: ChartProps): JSX.Element {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const { points, limit } = budget;
  const selected = points.find((point) => point.turn === turn) ?? points[0];
  const last = points.at(-1)?.turn ?? 1;
  const plot = Math.max(1, width - LEFT - RIGHT);
  const step = Math.min(BAR_MAX, plot / Math.max(1, points.length));
  const y = (tokens: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, tokens / limit));
  const choose = (event: PointerEvent & { currentTarget: Element }): void => {
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left - LEFT;
    const point = points[Math.max(0, Math.min(points.length - 1, Math.floor(at / step)))];
    if (point !== undefined) onTurn(point.turn);
  };
  return (
    <div
      ref={ref}
      class="chart"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={1}
      aria-valuemax={last}
      aria-valuenow={selected?.turn ?? 1}
      aria-valuetext={selected === undefined ? "no turn" : pointText(selected, budget)}
      onKeyDown={(event) => moveByKey(event, points, onTurn)}
      onPointerDown={choose}
      onPointerMove={(event) => (event.buttons === 1 ? choose(event) : undefined)}
    >
      <svg width={width} height={HEIGHT} aria-hidden="true" focusable="false">
        <Lines budget={budget} y={y} right={width - RIGHT} />
        {points.map((point, i) => (
          <Bar
            key={point.turn}
            point={point}
            budget={budget}
            x={LEFT + i * step}
            step={step}
            y={y}
            isSelected={point === selected}
          />
        ))}
        <Ticks points={points} step={step} />
      </svg>
    </div>
  );
}

function pointText(point: BudgetPoint, { soft, hard, limit }: BudgetSeries): string {
  const over = point.prompt >= hard ? ", over the hard line" : point.prompt >= soft ? ", over the soft line" : "";
  const freed = point.freed > 0 ? `, ${count(point.freed)} freed` : "";
  return `Turn ${point.turn}: ${count(point.prompt)} of ${count(limit)} tokens${over}${freed}`;
}

function moveByKey(event: KeyboardEvent, points: readonly BudgetPoint[], onTurn: ChooseTurn): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowUp: 1,
    ArrowLeft: -1,
    ArrowDown: -1,
    PageUp: PAGE_TURNS,
    PageDown: -PAGE_TURNS,
    Home: -points.length,
    End: points.length,
  };
  const by = steps[event.key];
  if (by === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  onTurn((turn) => {
    const at = points.findIndex((point) => point.turn === turn);
    return points[Math.max(0, Math.min(points.length - 1, at + by))]?.turn ?? turn;
  });
}

interface BarProps {
  readonly point: BudgetPoint;
  readonly budget: BudgetSeries;
  readonly x: number;
  readonly step: number;
  readonly y: (tokens: number) => number;
  readonly isSelected: boolean;
}

function Bar({ point, budget, x, step, y, isSelected }: BarProps): JSX.Element {
  const base = y(0);
  const top = y(point.prompt);
  const gap = step > 6 ? 1 : 0;
  const level = point.prompt >= budget.hard ? "over-hard" : point.prompt >= budget.soft ? "over-soft" : "within";
  return (
    <g class={isSelected ? `bar ${level} selected` : `bar ${level}`}>
      <title>{pointText(point, budget)}</title>
      <rect class="reach" x={x} y={TOP} width={step} height={base - TOP} />
      <rect class="fill" x={x} y={top} width={Math.max(0.5, step - gap)} height={Math.max(0, base - top)} />
      {point.freed > 0 ? <rect class="freed" x={x} y={top - 3} width={Math.max(1, step - gap)} height={2} /> : null}
      {point.errors > 0 ? <circle class="failed" cx={x + step / 2} cy={base + 4} r={2} /> : null}
    </g>
  );
}

function Lines({
  budget,
  y,
  right,
}: {
  budget: BudgetSeries;
  y: (tokens: number) => number;
  right: number;
}): JSX.Element {
  const lines = [
    { name: "limit", tokens: budget.limit },
    { name: "hard", tokens: budget.hard },
    { name: "soft", tokens: budget.soft },
  ];
  let below = Number.NEGATIVE_INFINITY;
  return (
    <g class="lines">
      {lines.map(({ name, tokens }) => {
        const at = y(tokens);
        below = Math.max(at + 4, below + LABEL_GAP);
        return (
          <g key={name} class={name}>
            <line x1={LEFT} x2={right + 4} y1={at} y2={at} />
            <text x={right + 8} y={below}>
              {name} {thousands(tokens)}
            </text>
          </g>
        );
      })}
      <line class="base" x1={LEFT} x2={right + 4} y1={y(0)} y2={y(0)} />
    </g>
  );
}

function Ticks({ points, step }: { points: readonly BudgetPoint[]; step: number }): JSX.Element {
  const every = TICKS_EVERY.find((one) => one * step >= TICK_ROOM) ?? 500;
  return (
    <g class="ticks">
      {points.map(({ turn }, i) =>
        turn % every === 0 || i === 0 ? (
          <text key={turn} x={LEFT + (i + 0.5) * step} y={HEIGHT - 3}>
            {turn}
          </text>
        ) : null,
      )}
    </g>
  );
}
