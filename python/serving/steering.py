"""What a random model cannot do by itself: keep to a format.

A plan is a list of slots, made before sampling from the prompt alone. At each position it names the ids that may be
taken; the model's own distribution, cut to them, picks one. Whatever is taken, the log-probability that the server
reports is the model's own over the whole vocabulary at temperature 1, so it is what a forward pass would give; only the
*choice* is steered.

* ("force", ids)      structure: headers, recipients, the JSON skeleton, tags, stop tokens. One id allowed.
* ("free", n)         n tokens out of all ordinary ones: reasoning. On /v1/completions these include bytes that are no
                      whole character.
* ("words", ids, n)   n tokens out of those that the question consists of: queries, patterns, justifications.
* ("pick", options)   one of several id sequences, chosen token by token: chunk and document ids.
"""

import random
import re

import vocabulary as v

FREE_TOKENS = (8, 24)
WORDS = (2, 6)
DOCUMENTS_MAX = 4
HEADERS = [
    "<|channel|>commentary to=functions.{} <|constrain|>json<|message|>",
    " to=functions.{}<|channel|>commentary <|constrain|>json<|message|>",
    "<|channel|>commentary to=functions.{} json<|message|>",
]
ACTIONS = ["search", "parallel", "read", "prune", "grep", "final"]


class Plan:
    """Which ids may come next. `allowed` before, `take` after each sampled token."""

    def __init__(self, slots: list):
        self.slots = slots
        self.at = 0
        self.within: list = []

    @property
    def done(self) -> bool:
        return self.at >= len(self.slots)

    def allowed(self):
        """None: all ordinary tokens. Else the list of ids."""
        kind, *rest = self.slots[self.at]
        if kind == "free":
            return None
        if kind == "words":
            return rest[0]
        n = len(self.within)
        options = [rest[0]] if kind == "force" else rest[0]
        return sorted({option[n] for option in options if list(option[:n]) == self.within})

    def take(self, token: int) -> None:
        kind, *rest = self.slots[self.at]
        self.within.append(token)
        n = len(self.within)
        if kind in ("free", "words"):
            ended = n >= rest[-1]
        else:
            ended = any(list(option) == self.within for option in ([rest[0]] if kind == "force" else rest[0]))
        if ended:
            self.at += 1
            self.within = []


class Steering:
    def __init__(self, vocabulary: v.Vocabulary):
        self.vocabulary = vocabulary

    def plan(self, prompt: list, seed: int, tools: set, turns: int, final_tool: bool) -> Plan:
        """`turns` are the answers that the prompt already holds; `final_tool` says that a list is given by `finish`."""
        rng = random.Random(f"{seed}/{turns}")
        text = self.vocabulary.text(prompt)
        question = re.findall(r"<(?:query|question)>(.*?)</", text, re.S)
        self.words = sorted({token for token in self.vocabulary.encode(" " + (question or ["nothing"])[-1]) if self.plain(token)})
        self.rng = rng
        self.tools = tools
        shown = dict.fromkeys(re.findall(r"(?:DOCUMENT ID: |## Chunk )([\w.-]+) \(", text))
        chunks = list(shown)[-12:]
        action = ACTIONS[min(turns, len(ACTIONS) - 1)]
        slots = self.force("<|channel|>analysis<|message|>")
        slots += [("free", rng.randint(*FREE_TOKENS))]
        slots += self.force("<|end|><|start|>assistant")
        if action == "final":
            return Plan(slots + self.final(chunks, final_tool))
        return Plan(slots + self.action(action, chunks))

    def plain(self, token: int) -> bool:
        return token < v.ORDINARY_END and re.fullmatch(rb" ?[A-Za-z0-9]+", self.vocabulary.bytes[token]) is not None

    def force(self, text: str) -> list:
        return [("force", self.vocabulary.structure(text))]

    def pick(self, options: list) -> list:
        return [("pick", [list(self.vocabulary.encode(option)) for option in options])]

    def some(self) -> list:
        return [("words", self.words, self.rng.randint(*WORDS))]

    def call(self, tool: str, arguments: list) -> list:
        return self.force(self.rng.choice(HEADERS).format(tool)) + arguments + self.force("<|call|>")

    def query(self) -> list:
        return self.force('{"query": "') + self.some() + self.force('"}')

    def pattern(self) -> list:
        return self.force('{"pattern": "') + self.pick([self.vocabulary.text([w]).strip() for w in self.words]) + self.force('"}')

    def action(self, action: str, chunks: list) -> list:
        if action == "parallel" and "multi_tool_use" in self.tools:
            inner = self.force('{"tool_calls": [{"tool_name": "search_corpus", "parameters": ') + self.query()
            inner += self.force('}, {"tool_name": "grep_corpus", "parameters": ') + self.pattern() + self.force("}]}")
            return self.call("multi_tool_use", inner)
        if action == "read" and chunks:
            return self.call("read_document", self.force('{"doc_id": "') + self.pick(chunks) + self.force('"}'))
        if action == "prune" and chunks and "prune_chunks" in self.tools:
            last = self.force('{"chunk_ids": ["') + self.pick(chunks[::2]) + self.force('", "') + self.pick(chunks[1::2] or chunks)
            return self.call("prune_chunks", last + self.force('"]}'))
        if action == "grep":
            return self.call("grep_corpus", self.pattern())
        return self.call("search_corpus", self.query())

    def final(self, chunks: list, final_tool: bool) -> list:
        count = min(DOCUMENTS_MAX, len(chunks))
        groups = [chunks[i::count] for i in range(count)]
        if final_tool:
            arguments = self.force('{"documents": [')
            for i, group in enumerate(groups):
                arguments += self.force(('{"id": "' if i == 0 else ', {"id": "')) + self.pick(group)
                arguments += self.force('", "justification": "') + self.some() + self.force('"}')
            return self.call("finish", arguments + self.force("]}"))
        slots = self.force("<|channel|>final<|message|>")
        for group in groups:
            slots += self.force('<Document id="') + self.pick(group) + self.force('">\n<Justification>')
            slots += self.some() + self.force("</Justification>\n</Document>\n")
        return slots + self.force("<|return|>")
