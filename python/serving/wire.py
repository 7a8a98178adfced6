"""The answers in vLLM's wire format (/v1/completions with token ids; /v1/chat/completions with tool calls)."""

import codecs
import json

import vocabulary as v
from sampling import Sampled


def event(value) -> bytes:
    return b"data: " + (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode() + b"\n\n"


def usage(prompt: list, ids: list) -> dict:
    return {"prompt_tokens": len(prompt), "completion_tokens": len(ids), "total_tokens": len(prompt) + len(ids)}


class Completion:
    """One answer of /v1/completions."""

    def __init__(self, request: dict, number: int, prompt: list, vocabulary: v.Vocabulary):
        self.request, self.prompt, self.vocabulary = request, prompt, vocabulary
        self.skip = request.get("skip_special_tokens", True)
        self.ids_wanted = request.get("return_token_ids") is True
        self.head = {"id": f"cmpl-{number}", "object": "text_completion", "created": 0, "model": request.get("model")}
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def logprobs(self, done: Sampled, start: int):
        if self.request.get("logprobs") is None:
            return None
        as_ids = self.request.get("return_tokens_as_token_ids") is True
        names = [f"token_id:{i}" if as_ids else self.vocabulary.text([i], False) for i in done.ids[start:]]
        scores = done.logprobs[start:]
        top = [{name: score} for name, score in zip(names, scores)]
        return {"text_offset": [0] * len(names), "token_logprobs": scores, "tokens": names, "top_logprobs": top}

    def choice(self, done: Sampled, start: int, first: bool) -> dict:
        ended = done.finish is not None
        shown = done.ids[start:]
        if done.finish == "stop" and self.request.get("include_stop_str_in_output") is not True:
            shown = shown[:-1]
        text = self.decoder.decode(b"".join(self.vocabulary.piece(i, self.skip) for i in shown), final=ended)
        choice = {"index": 0, "text": text, "logprobs": self.logprobs(done, start)}
        choice |= {"finish_reason": done.finish, "stop_reason": done.stop_reason}
        choice["token_ids"] = done.ids[start:] if self.ids_wanted else None
        choice["prompt_token_ids"] = self.prompt if self.ids_wanted and first else None
        return choice

    def whole(self, done: Sampled) -> dict:
        return {**self.head, "choices": [self.choice(done, 0, True)], "usage": usage(self.prompt, done.ids)}

    def events(self, tokens, done: Sampled):
        for n, _ in enumerate(tokens):
            yield event({**self.head, "choices": [self.choice(done, n, n == 0)]})
        if (self.request.get("stream_options") or {}).get("include_usage"):
            yield event({**self.head, "choices": [], "usage": usage(self.prompt, done.ids)})
        yield event("[DONE]")


class ChatAnswer:
    """One answer of /v1/chat/completions: harmony is rendered and parsed by openai-harmony, on this side."""

    def __init__(self, request: dict, number: int, vocabulary: v.Vocabulary):
        self.request, self.number, self.vocabulary = request, number, vocabulary
        self.prompt = render_chat(request, vocabulary)
        self.head = {"id": f"chatcmpl-{number}", "created": 0, "model": request.get("model")}

    def message(self, done: Sampled) -> tuple:
        from openai_harmony import Role

        reasoning, content, calls = [], [], []
        for message in self.vocabulary.harmony.parse_messages_from_completion_tokens(done.ids, Role.ASSISTANT, strict=False):
            text = "".join(part.text for part in message.content)
            if message.recipient is not None and message.recipient.startswith("functions."):
                name = message.recipient.removeprefix("functions.")
                calls.append({"id": f"call_{self.number}_{len(calls)}", "type": "function", "function": {"name": name, "arguments": text}})
            elif message.channel == "analysis":
                reasoning.append(text)
            else:
                content.append(text)
        message = {"role": "assistant", "content": "".join(content) or None, "tool_calls": calls, "reasoning": "\n".join(reasoning) or None}
        return message, "tool_calls" if calls and done.finish == "stop" else done.finish

    def whole(self, done: Sampled) -> dict:
        message, finish = self.message(done)
        choice = {"index": 0, "message": message, "finish_reason": finish, "stop_reason": done.stop_reason}
        return {**self.head, "object": "chat.completion", "choices": [choice], "usage": usage(self.prompt, done.ids)}

    def events(self, tokens, done: Sampled):
        from openai_harmony import Role, StreamableParser

        def chunk(delta: dict, finish=None) -> bytes:
            choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
            return event({**self.head, "object": "chat.completion.chunk", "choices": choices})

        yield chunk({"role": "assistant", "content": ""})
        parser = StreamableParser(self.vocabulary.harmony, Role.ASSISTANT, strict=False)
        index, open_call, started = -1, False, 0
        for token in tokens:
            parser.process(token)
            if len(parser.messages) != started:
                started, open_call = len(parser.messages), False
            delta, recipient = parser.last_content_delta, parser.current_recipient
            if recipient is not None and recipient.startswith("functions.") and not open_call:
                index, open_call = index + 1, True
                function = {"name": recipient.removeprefix("functions."), "arguments": ""}
                yield chunk({"tool_calls": [{"index": index, "id": f"call_{self.number}_{index}", "type": "function", "function": function}]})
            if not delta:
                continue
            if open_call:
                yield chunk({"tool_calls": [{"index": index, "function": {"arguments": delta}}]})
            else:
                yield chunk({"reasoning" if parser.current_channel == "analysis" else "content": delta})
        yield chunk({}, "tool_calls" if index >= 0 and done.finish == "stop" else done.finish)
        if (self.request.get("stream_options") or {}).get("include_usage"):
            yield event({**self.head, "object": "chat.completion.chunk", "choices": [], "usage": usage(self.prompt, done.ids)})
        yield event("[DONE]")


def text_of(content) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def render_chat(request: dict, vocabulary: v.Vocabulary) -> list:
    import openai_harmony as h

    tools = [
        h.ToolDescription.new(f["name"], f.get("description", ""), parameters=f.get("parameters"))
        for f in (tool["function"] for tool in request.get("tools") or [])
    ]
    developer = h.DeveloperContent.new()
    systems = [text_of(m.get("content")) for m in request["messages"] if m["role"] in ("system", "developer")]
    if systems:
        developer = developer.with_instructions("\n\n".join(systems))
    if tools:
        developer = developer.with_function_tools(tools)
    out = [h.Message.from_role_and_content(h.Role.SYSTEM, h.SystemContent.new())]
    if systems or tools:
        out.append(h.Message.from_role_and_content(h.Role.DEVELOPER, developer))
    names = {}
    for message in request["messages"]:
        text = text_of(message.get("content"))
        if message["role"] == "user":
            out.append(h.Message.from_role_and_content(h.Role.USER, text))
        elif message["role"] == "assistant":
            thought = message.get("reasoning") or message.get("reasoning_content")
            if thought:
                out.append(h.Message.from_role_and_content(h.Role.ASSISTANT, thought).with_channel("analysis"))
            calls = message.get("tool_calls") or []
            if text:
                out.append(h.Message.from_role_and_content(h.Role.ASSISTANT, text).with_channel("commentary" if calls else "final"))
            for call in calls:
                names[call["id"]] = call["function"]["name"]
                made = h.Message.from_role_and_content(h.Role.ASSISTANT, call["function"]["arguments"])
                made = made.with_channel("commentary").with_recipient(f"functions.{call['function']['name']}")
                out.append(made.with_content_type("<|constrain|>json"))
        elif message["role"] == "tool":
            author = h.Author.new(h.Role.TOOL, f"functions.{names.get(message.get('tool_call_id'), 'tool')}")
            out.append(h.Message.from_author_and_content(author, text).with_recipient("assistant").with_channel("commentary"))
    config = h.RenderConversationConfig(auto_drop_analysis=False)
    return vocabulary.harmony.render_conversation_for_completion(h.Conversation.from_messages(out), h.Role.ASSISTANT, config)
