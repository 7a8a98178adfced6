"""Token by token sampling with a key-value cache, for one request at a time."""

from dataclasses import dataclass, field

import torch
import vocabulary as v
from steering import Plan
from transformers import DynamicCache

PREFILL_TOKENS = 1024


@dataclass
class Sampled:
    ids: list = field(default_factory=list)
    logprobs: list = field(default_factory=list)
    #: True where steering left only one id.
    forced: list = field(default_factory=list)
    #: "stop" or "length"; None while it goes on.
    finish: str | None = None
    #: The id that stopped it, where it was asked for as a stop id and is no end of sequence.
    stop_reason: int | None = None


@torch.inference_mode()
def sample(model, prompt: list, *, max_tokens: int, temperature: float, top_p: float, seed: int, stop_ids: set, plan: Plan | None, free_ids, into: Sampled):
    """Yields each token. Log-probabilities are the raw ones: before temperature, over the whole vocabulary."""
    cache = DynamicCache(config=model.config)
    scores = None
    for i in range(0, len(prompt), PREFILL_TOKENS):
        part = torch.tensor([prompt[i : i + PREFILL_TOKENS]])
        scores = model(input_ids=part, past_key_values=cache, use_cache=True, logits_to_keep=1).logits
    chance = torch.Generator().manual_seed(seed)
    ends = set(model.config.eos_token_id) | stop_ids
    while True:
        raw = torch.log_softmax(scores[0, -1].float(), dim=-1)
        allowed = None if plan is None or plan.done else plan.allowed()
        if plan is not None and not plan.done and allowed is None:
            allowed = free_ids
        token = choose(raw, allowed, temperature, top_p, chance)
        if plan is not None and not plan.done:
            plan.take(token)
        into.ids.append(token)
        into.logprobs.append(raw[token].item())
        into.forced.append(allowed is not None and len(allowed) == 1)
        if token in ends:
            into.finish = "stop"
            into.stop_reason = token if token in stop_ids else None
        elif len(into.ids) >= max_tokens:
            into.finish = "length"
        yield token
        if into.finish is not None:
            return
        scores = model(input_ids=torch.tensor([[token]]), past_key_values=cache, use_cache=True).logits


def choose(raw: torch.Tensor, allowed, temperature: float, top_p: float, chance: torch.Generator) -> int:
    if allowed is not None and len(allowed) == 1:
        return int(allowed[0])
    ids = None if allowed is None else torch.as_tensor(allowed)
    scores = raw if ids is None else raw[ids]
    if temperature <= 0:
        at = int(scores.argmax())
    else:
        probabilities = torch.softmax(scores / temperature, dim=-1)
        if top_p < 1:
            ordered, order = probabilities.sort(descending=True)
            # The most probable ones until they make up top_p, at least one.
            ordered[ordered.cumsum(0) - ordered >= top_p] = 0
            at = int(order[torch.multinomial(ordered, 1, generator=chance)])
        else:
            at = int(torch.multinomial(probabilities, 1, generator=chance))
    return at if ids is None else int(ids[at])


def ordinary_ids() -> torch.Tensor:
    return torch.arange(v.ORDINARY_END)
