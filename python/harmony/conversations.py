"""Random conversations in the notation of src/models/harmony/conversation.ts, and their official form."""

import json
import random

from openai_harmony import (
    Author, ChannelConfig, Conversation, DeveloperContent, Message, ReasoningEffort, Role, SystemContent, TextContent,
    ToolDescription, ToolNamespaceConfig,
)

import texts

CONSTRAIN_JSON = "<|constrain|>json"


def schema(rng: random.Random, depth: int = 0) -> dict:
    """A JSON Schema with everything that the notation of types treats in a way of its own."""
    kind = rng.choice(("string", "string", "number", "integer", "boolean", "array", "object", "types", "oneOf", "enum", "any"))
    if depth > 2 and kind in ("array", "object", "oneOf"):
        kind = "string"
    out: dict = {}
    if kind == "types":
        out["type"] = rng.choice((["integer", "null"], ["string", "number"], []))
    elif kind == "enum":
        out.update(type="string", enum=rng.choice((["celsius", "fahrenheit"], ["a \"quoted\" one"], [])))
    elif kind == "oneOf":
        out["oneOf"] = [schema(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    elif kind == "array":
        out["type"] = "array"
        if rng.random() < 0.8:
            out["items"] = schema(rng, depth + 1)
    elif kind == "object":
        out["type"] = "object"
        if rng.random() < 0.9:
            names = rng.sample(("query", "pattern", "doc_id", "limit", "with space", "größe", "x-y"), rng.randint(0, 4))
            out["properties"] = {name: schema(rng, depth + 1) for name in names}
            if rng.random() < 0.7:
                out["required"] = [name for name in names if rng.random() < 0.5]
    elif kind != "any":
        out["type"] = kind
    if rng.random() < 0.5:
        out["description"] = rng.choice(("What to look for.", "Two\nlines.", "", "With <|end|> in it", "Größe in cm"))
    if rng.random() < 0.15:
        out["title"] = "A title"
    if rng.random() < 0.2:
        out["examples"] = rng.choice((["one", "two"], [], [1, "three"]))
    if rng.random() < 0.25:
        out["default"] = rng.choice(("celsius", "", 'with "quotes"', 10, -1, 0.5, True, None, ["a", 1], {"z": 1, "a": {"b": []}}))
    if rng.random() < 0.2:
        out["nullable"] = rng.random() < 0.8
    return out


def described(description: str, properties: dict, required: list) -> dict:
    return {"description": description, "parameters": {"type": "object", "properties": properties, "required": required}}


AGENT_TOOLS = [
    {"name": "search_corpus", **described("Search by meaning and words.", {"query": {"type": "string", "description": "What to look for."}}, ["query"])},
    {"name": "grep_corpus", **described("Search by regular expression.", {"pattern": {"type": "string"}}, ["pattern"])},
    {"name": "read_document", **described("Read a document.", {"doc_id": {"type": "string", "description": "Id of a document or of a chunk."}}, ["doc_id"])},
    {"name": "multi_tool_use", **described("Make several calls at once.", {"tool_calls": {"type": "array", "description": "The calls.", "items": {"type": "object", "properties": {"tool_name": {"type": "string"}, "parameters": {"type": "object"}}, "required": ["tool_name", "parameters"]}}}, ["tool_calls"])},
    {"name": "prune_chunks", **described("Remove chunks.", {"chunk_ids": {"type": "array", "items": {"type": "string"}}}, ["chunk_ids"])},
]


def namespaces(rng: random.Random) -> list:
    out = []
    for name in rng.sample(("functions", "browser", "Zeta", "élan", "functions2"), rng.randint(1, 3)):
        tools = []
        for i in range(rng.randint(0, 3)):
            tool = {"name": f"tool_{i}", "description": rng.choice(("Does it.", "", "First.\nSecond.\r\nThird.\n", "\n", "a\n\nb"))}
            if rng.random() < 0.85:
                tool["parameters"] = schema(rng) if rng.random() < 0.4 else {"type": "object", "properties": {f"p{j}": schema(rng) for j in range(rng.randint(0, 4))}}
            tools.append(tool)
        space = {"name": name, "tools": tools}
        if rng.random() < 0.5:
            space["description"] = rng.choice(("What it is for.", "Line one.\nLine two.\n", ""))
        out.append(space)
    return out


def system(rng: random.Random, plain: bool = False) -> dict:
    out = {"role": "system", "kind": "settings"}
    if plain:
        return {**out, "effort": "high", "date": "2026-11-22"}
    if rng.random() < 0.3:
        out["identity"] = rng.choice((None, "You are a librarian. <|end|>", ""))
    if rng.random() < 0.3:
        out["knowledgeCutoff"] = rng.choice((None, "2025-01"))
    if rng.random() < 0.7:
        out["date"] = rng.choice((None, "2026-11-22"))
    if rng.random() < 0.7:
        out["effort"] = rng.choice((None, "low", "medium", "high"))
    if rng.random() < 0.3:
        out["channels"] = rng.choice(([], ["final"], ["analysis", "final"]))
        out["channelRequired"] = rng.random() < 0.5
    if rng.random() < 0.2:
        out["tools"] = namespaces(rng)
    return out


def message(role: str, text, **header) -> dict:
    parts = [{"text": part} for part in ([text] if isinstance(text, str) else text)]
    return {"role": role, "kind": "text", **header, "parts": parts}


def call(rng: random.Random) -> tuple:
    name = rng.choice(("search_corpus", "grep_corpus", "read_document", "prune_chunks"))
    if name == "prune_chunks":
        return name, {"chunk_ids": [f"{rng.randint(1, 9999)}_{i}" for i in range(rng.randint(0, 4))]}
    key = {"search_corpus": "query", "grep_corpus": "pattern", "read_document": "doc_id"}[name]
    return name, {key: rng.choice(texts.SENTENCES + texts.SPECIALS)}


def dumps(rng: random.Random, value) -> str:
    return json.dumps(value, ensure_ascii=rng.random() < 0.5, separators=rng.choice((None, (",", ":"))))


def agent_turn(rng: random.Random) -> list:
    """Reasoning, one call or several packed into one, and what the tools gave."""
    out = []
    if rng.random() < 0.9:
        out.append(message("assistant", texts.text(rng, 3), channel="analysis"))
    if rng.random() < 0.1:
        out.append(message("assistant", "I will look for both.", channel="commentary"))
    calls = [call(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
    header = {"channel": "commentary", "contentType": CONSTRAIN_JSON}
    results = [[texts.document(rng) for _ in range(rng.randint(0, 2))] + ["[Token usage: 9,120/32,768]\n\n"] for _ in calls]
    if len(calls) == 1:
        name, arguments = calls[0]
        out.append(message("assistant", dumps(rng, arguments), recipient=f"functions.{name}", **header))
        shown = results[0] if rng.random() < 0.7 else json.dumps("".join(results[0]))
        out.append(message("tool", shown, name=f"functions.{name}", recipient="assistant", channel="commentary"))
        return out
    packed = [{"tool_name": name, "parameters": arguments} for name, arguments in calls]
    tool = rng.choice(("functions.multi_tool_use", "multi_tool_use.parallel"))
    out.append(message("assistant", dumps(rng, rng.choice((packed, {"tool_calls": packed}))), recipient=tool, **header))
    if rng.random() < 0.5:
        for (name, _), shown in zip(calls, results):
            out.append(message("tool", shown, name=f"functions.{name}", recipient="assistant", channel="commentary"))
    else:
        listed = [{"type": "tool_result", "name": name, "content": ["".join(shown)]} for (name, _), shown in zip(calls, results)]
        out.append(message("tool", dumps(rng, listed), name=tool, recipient="assistant", channel="commentary"))
    return out


def agent(rng: random.Random) -> list:
    """A search as the harness renders it, with history."""
    out = [system(rng, plain=True), {"role": "developer", "kind": "settings", "tools": [{"name": "functions", "tools": AGENT_TOOLS}]}]
    out.append(message("user", texts.text(rng, 4)))
    for _ in range(rng.randint(1, 3)):
        out += agent_turn(rng)
        if rng.random() < 0.15:
            out.append(message("user", "[Token usage: 25,001/32,768] Over budget: prune or conclude."))
    if rng.random() < 0.5:
        out.append(message("assistant", texts.text(rng, 2), channel="analysis"))
        out.append(message("assistant", '<Document id="12_3">\n<Justification>It names the owner.</Justification>\n</Document>', channel="final"))
    return out


def chat(rng: random.Random) -> list:
    """Several turns with any header, also unusual ones."""
    out = []
    if rng.random() < 0.9:
        out.append(system(rng))
    if rng.random() < 0.7:
        developer = {"role": "developer", "kind": "settings"}
        if rng.random() < 0.7:
            developer["instructions"] = texts.text(rng, 3)
        if rng.random() < 0.7:
            developer["tools"] = namespaces(rng)
        out.append(developer)
    for _ in range(rng.randint(0, 4)):
        name = {"name": rng.choice(("ada", "Jörg", "a b"))} if rng.random() < 0.1 else {}
        out.append(message("user", texts.text(rng), **name))
        if rng.random() < 0.6:
            out.append(message("assistant", texts.text(rng, 3), channel="analysis"))
        if rng.random() < 0.3:
            recipient = rng.choice(("functions.tool_0", "browser.search", "python", "all", "user"))
            kind = {"contentType": rng.choice((CONSTRAIN_JSON, "json", "<|constrain|>", "code"))} if rng.random() < 0.7 else {}
            out.append(message("assistant", texts.text(rng, 2), recipient=recipient, channel=rng.choice(("commentary", "analysis")), **kind))
            out.append(message("tool", texts.text(rng), name=recipient, recipient="assistant", channel="commentary"))
        if rng.random() < 0.8:
            out.append(message("assistant", [texts.text(rng, 2) for _ in range(rng.choice((1, 1, 2, 3)))], channel=rng.choice(("final", "final", "commentary"))))
    if rng.random() < 0.1:
        out.append(message(rng.choice(("system", "developer")), texts.text(rng)))
    return out


def long_document(rng: random.Random) -> list:
    """One document of some thousand tokens, with no part of it short."""
    body = "\n\n".join(texts.text(rng, 9) for _ in range(6))
    return [system(rng, plain=True), message("user", "Read it."), message("tool", [body, texts.document(rng)], name="functions.read_document", recipient="assistant", channel="commentary")]


def official_namespaces(spaces: list) -> dict:
    return {
        space["name"]: ToolNamespaceConfig(
            name=space["name"], description=space.get("description"),
            tools=[ToolDescription(name=t["name"], description=t["description"], parameters=t.get("parameters")) for t in space["tools"]],
        )
        for space in spaces
    }


def official_message(given: dict) -> Message:
    if given["kind"] == "text":
        author = Author(role=Role(given["role"]), name=given.get("name"))
        return Message(
            author=author, content=[TextContent(text=part["text"]) for part in given["parts"]],
            channel=given.get("channel"), recipient=given.get("recipient"), content_type=given.get("contentType"),
        )
    spaces = official_namespaces(given["tools"]) if "tools" in given else None
    if given["role"] == "developer":
        content = DeveloperContent(instructions=given.get("instructions"), tools=spaces)
        return Message.from_role_and_content(Role.DEVELOPER, content)
    fields = {"tools": spaces}
    if "identity" in given:
        fields["model_identity"] = given["identity"]
    if "knowledgeCutoff" in given:
        fields["knowledge_cutoff"] = given["knowledgeCutoff"]
    if "date" in given:
        fields["conversation_start_date"] = given["date"]
    if "effort" in given:
        fields["reasoning_effort"] = None if given["effort"] is None else ReasoningEffort(given["effort"].capitalize())
    if "channels" in given:
        fields["channel_config"] = ChannelConfig(valid_channels=given["channels"], channel_required=given["channelRequired"])
    content = SystemContent(**fields)
    return Message.from_role_and_content(Role.SYSTEM, content)


def official(conversation: list) -> Conversation:
    return Conversation.from_messages([official_message(given) for given in conversation])
