"""Recomputes the log-probabilities of segments with one forward pass each, and says how far they are from those recorded.

    python recompute.py segments.jsonl > result.json

Controls show that the comparison can fail: the same with one id of each context changed, with the log-probabilities
shifted by one position, and with weights from another seed.
"""

import argparse
import json
import sys
from pathlib import Path

import tiny_model
import torch

#: One id of the context that is changed in the control: so many positions before the first sampled one.
CHANGED_BEFORE = 40


def differences(model, segments: list, change: bool = False, shift: int = 0) -> dict:
    parts = []
    for segment in segments:
        tokens = list(segment["tokens"])
        positions = [p for p, bit in enumerate(segment["mask"]) if bit == 1]
        if change:
            at = positions[0] - CHANGED_BEFORE
            tokens[at] = (tokens[at] + 1) % 199_998
        recorded = torch.tensor([segment["logprobs"][p] for p in positions], dtype=torch.float64)
        computed = tiny_model.logprobs_of(model, tokens, positions)
        parts.append((computed.roll(shift) - recorded).abs())
    every = torch.cat(parts)
    return {
        "maxAbs": every.max().item(), "meanAbs": every.mean().item(), "p50": every.median().item(),
        "above1e-2": int((every > 1e-2).sum()),
        "perSegmentMaxAbs": [part.max().item() for part in parts],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Recomputes log-probabilities of segments.")
    parser.add_argument("segments", type=Path)
    parser.add_argument("--seed", type=int, default=tiny_model.SEED)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--report-only", action="store_true", help="exit with 0 even where the tolerance is exceeded")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    segments = [json.loads(line) for line in options.segments.read_text(encoding="utf-8").splitlines()]
    model = tiny_model.build(options.seed)
    result = {"weights": tiny_model.fingerprint(model), "segments": len(segments)}
    result |= {"tokens": sum(len(s["tokens"]) for s in segments), "sampled": sum(sum(s["mask"]) for s in segments)}
    recorded = torch.tensor([x for s in segments for x, bit in zip(s["logprobs"], s["mask"]) if bit == 1], dtype=torch.float64)
    result["recorded"] = {"mean": recorded.mean().item(), "std": recorded.std().item(), "min": recorded.min().item(), "max": recorded.max().item()}
    result["tolerance"] = options.tolerance
    result["difference"] = differences(model, segments)
    few = segments[:3]
    result["controls"] = {
        "oneContextIdChanged": differences(model, few, change=True),
        "shiftedByOne": differences(model, few, shift=1),
        "otherWeights": differences(tiny_model.build(options.seed + 1), few),
    }
    result["holds"] = result["difference"]["maxAbs"] <= options.tolerance
    json.dump(result, sys.stdout, indent=2)
    sys.stdout.write("\n")
    sys.exit(0 if result["holds"] or options.report_only else 1)


if __name__ == "__main__":
    main()
