"""A tiny gpt-oss: the architecture of the published models (attention sinks, sliding and full attention, YaRN, routed
experts, the full vocabulary), with random weights from a seed. It cannot write anything sensible."""

import hashlib

import torch
from transformers import GptOssConfig, GptOssForCausalLM

SEED = 20_261
# Wider than the usual 0.02: with it the distribution is far from uniform and depends on the context, so that a wrong
# context or a shifted position shows in the log-probabilities.
INITIALIZER_RANGE = 0.2
HEAD_SCALE = 1.0


def build(seed: int = SEED) -> GptOssForCausalLM:
    torch.manual_seed(seed)
    config = GptOssConfig(
        num_hidden_layers=2, hidden_size=64, intermediate_size=64, num_local_experts=4, num_experts_per_tok=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=16, vocab_size=201_088,
        layer_types=["sliding_attention", "full_attention"], initializer_range=INITIALIZER_RANGE,
        attn_implementation="eager", pad_token_id=199_999, eos_token_id=[200_002, 199_999, 200_012],
    )  # fmt: skip
    model = GptOssForCausalLM(config).float().eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(HEAD_SCALE)
    return model


def fingerprint(model: GptOssForCausalLM) -> str:
    """SHA-256 of all weights, hex: equal on machines whose random generator is the same."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.inference_mode()
def logprobs_of(model: GptOssForCausalLM, tokens: list, positions: list, batch: int = 256) -> torch.Tensor:
    """Natural log-probability of `tokens[p]` given `tokens[:p]` for each p of `positions`, from one forward pass
    without a cache. float64 result of a float32 computation."""
    hidden = model.model(input_ids=torch.tensor([tokens]), use_cache=False).last_hidden_state[0]
    out = []
    for i in range(0, len(positions), batch):
        part = torch.tensor(positions[i : i + batch])
        scores = torch.log_softmax(model.lm_head(hidden[part - 1]).float(), dim=-1)
        out.append(scores.gather(1, torch.tensor(tokens)[part, None])[:, 0].double())
    return torch.cat(out) if out else torch.empty(0, dtype=torch.float64)
