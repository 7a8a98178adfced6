import type { HarmonyCodec } from "./codec.ts";
import { isSpecialId, specialTokenName } from "./special-tokens.ts";

/** A run of ordinary text, or a special token. */
export interface VisiblePiece {
  readonly special: boolean;
  readonly text: string;
}

/** Ordinary text that spells a special token. */
const SPELLED = /<\|(?=[a-z_0-9]{1,30}\|>)/g;

/**
 * Ids as text for people. Where ordinary text spells a special token it gets a backslash (`<\|end|>`), so that what is
 * structure and what is not can be told apart without colours; `spelled` counts these places.
 */
export function visiblePieces(
  ids: readonly number[],
  codec: HarmonyCodec,
): { readonly pieces: readonly VisiblePiece[]; readonly spelled: number } {
  const pieces: VisiblePiece[] = [];
  let spelled = 0;
  let run: number[] = [];
  const flush = (): void => {
    if (run.length === 0) return;
    const text = codec.decode(run).text.replace(SPELLED, () => {
      spelled++;
      return "<\\|";
    });
    pieces.push({ special: false, text });
    run = [];
  };
  for (const id of ids) {
    if (isSpecialId(id)) {
      flush();
      pieces.push({ special: true, text: specialTokenName(id) });
    } else run.push(id);
  }
  flush();
  return { pieces, spelled };
}
