"""Token vectors whose weighted mean stands as close to the teacher's text vector as a sum of words can."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as functional

from teacher import UNKNOWN

STEPS = 3_000
WARM_UP_STEPS = 200
BATCH_TEXTS = 4_096
LEARNING_RATE = 2e-3
TEMPERATURE = 0.05
# Smooth inverse frequency (Arora et al., 2017) under Zipf's law: the vocabulary is ordered by frequency.
SIF = 1e-4
SHRINKAGE_COUNT = 5
PROJECTION_TEXTS = 40_000


class Sequences:
    """Token sequences laid end to end, for fast batches on a device. Unknown tokens are left out."""

    def __init__(self, ids: list[list[int]], device: str) -> None:
        known = [[token for token in one if token != UNKNOWN] for one in ids]
        self.device = device
        self.tokens = torch.from_numpy(np.concatenate([np.asarray(one, np.int64) for one in known])).to(device)
        self.offsets = torch.from_numpy(np.cumsum([0] + [len(one) for one in known])).to(device)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def vectors(self, table: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        starts = self.offsets[chosen]
        counts = self.offsets[chosen + 1] - starts
        bags = torch.cumsum(counts, 0) - counts
        places = torch.repeat_interleave(starts - bags, counts) + torch.arange(int(counts.sum()), device=self.device)
        return functional.normalize(functional.embedding_bag(self.tokens[places], table, bags, mode="sum"), dim=1)


def zipf_weights(count: int, device: str) -> torch.Tensor:
    probability = 1 / torch.arange(2, count + 2, device=device, dtype=torch.float32)
    return SIF / (SIF + probability / probability.sum())


def start_table(token_vectors: torch.Tensor) -> torch.Tensor:
    """Where the fit starts: the published static recipe (token passes, centred, weighted by Zipf's law)."""
    weights = zipf_weights(len(token_vectors), str(token_vectors.device))
    return (token_vectors - token_vectors.mean(0)) * weights[:, None]


def fit(sequences: Sequences, targets: torch.Tensor, start: torch.Tensor, seed: int) -> torch.Tensor:
    """Pulls each text to its target (cosine) and keeps who is whose neighbour within a batch (cross-entropy)."""
    device = start.device
    table = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.Adam([table], lr=LEARNING_RATE, betas=(0.9, 0.99))
    generator = torch.Generator(device="cpu").manual_seed(seed)
    itself = torch.eye(BATCH_TEXTS, device=device) * 1e4
    for step in range(STEPS):
        rate = LEARNING_RATE * min(1, (step + 1) / WARM_UP_STEPS) * (0.5 + 0.5 * math.cos(math.pi * step / STEPS)) + 1e-6
        optimizer.param_groups[0]["lr"] = rate
        chosen = torch.randint(len(sequences), (BATCH_TEXTS,), generator=generator).to(device)
        ours, theirs = sequences.vectors(table, chosen), targets[chosen].float()
        log_ours = functional.log_softmax(ours @ ours.T / TEMPERATURE - itself, 1)
        log_theirs = functional.log_softmax(theirs @ theirs.T / TEMPERATURE - itself, 1)
        neighbours = functional.kl_div(log_ours, log_theirs, log_target=True, reduction="batchmean")
        loss = neighbours + (1 - (ours * theirs).sum(1)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if (step + 1) % 500 == 0:
            print(f"fit: step {step + 1} of {STEPS}, loss {loss.item():.4f}", flush=True)
    return table.detach()


def shrink_rare(table: torch.Tensor, token_vectors: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Draws tokens that were seen seldom or never towards what a linear map from the teacher's own vector predicts."""
    features = torch.cat([token_vectors - token_vectors.mean(0), torch.ones_like(token_vectors[:, :1])], 1).double()
    common = counts >= 4 * SHRINKAGE_COUNT
    known = features[common]
    ridge = 10 * torch.eye(features.shape[1], device=features.device, dtype=torch.float64)
    predicted = features @ torch.linalg.solve(known.T @ known + ridge, known.T @ table[common].double())
    share = (counts / (counts + SHRINKAGE_COUNT))[:, None].double()
    return (share * table + (1 - share) * predicted).float()


def principal_directions(table: torch.Tensor, sequences: Sequences) -> torch.Tensor:
    """Directions of the text vectors, most important first; not centred, so that cosines are kept."""
    step = max(1, len(sequences) // PROJECTION_TEXTS)
    texts = sequences.vectors(table, torch.arange(0, len(sequences), step, device=table.device)).double()
    _, directions = torch.linalg.eigh(texts.T @ texts)
    directions = directions.flip(1)
    # The sign of an eigenvector is arbitrary: make its largest entry positive.
    largest = directions.abs().argmax(0)
    return (directions * torch.sign(directions[largest, torch.arange(directions.shape[1])])).float()
