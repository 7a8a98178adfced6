/**
 * Chooses a turn, by its number or from the one that is chosen now: keys may come faster than the page is drawn, and each
 * must count.
 */
export type ChooseTurn = (turn: number | ((turn: number) => number)) => void;
