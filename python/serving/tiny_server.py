"""A model server in vLLM's wire format around a tiny random gpt-oss, for tests of clients. Loopback only, no key.

    python tiny_server.py --steer full --log requests.jsonl      # prints the address when it is ready

* GET /v1/models; POST /v1/completions (prompt as ids or text; ids and log-probabilities out, streamed or not);
  POST /v1/chat/completions (harmony rendered and parsed here, by openai-harmony; streamed or not).
* --steer full: see steering.py. --steer none: pure sampling; such a model practically never ends by itself.
* --log FILE: one JSON line a request, with the prompt's ids as read, the ids taken, their raw log-probabilities, and
  which of them steering left no choice about.
"""

import argparse
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import sampling
import steering
import tiny_model
import torch
import vocabulary as v
import wire

BODY_BYTES_MAX = 16_000_000


class Refused(Exception):
    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Server:
    def __init__(self, options):
        self.options = options
        self.vocabulary = v.Vocabulary(options.vocabulary)
        self.model = tiny_model.build(options.seed)
        self.steering = steering.Steering(self.vocabulary) if options.steer == "full" else None
        self.free = sampling.ordinary_ids()
        self.free_text = torch.tensor(self.vocabulary.whole_utf8())
        self.lock = threading.Lock()
        self.requests = 0

    def prompt_of(self, request: dict) -> list:
        prompt = request.get("prompt")
        if isinstance(prompt, str):
            return self.vocabulary.structure(prompt)
        if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], list):
            prompt = prompt[0]
        known = isinstance(prompt, list) and all(isinstance(i, int) and 0 <= i < v.VOCABULARY_SIZE for i in prompt)
        if not known or not prompt:
            raise Refused(400, "prompt must be text or one list of token ids of the vocabulary.")
        return prompt

    def begin(self, request: dict, chat: bool):
        """The answer's writer, its tokens as a generator, and what they add up to."""
        if request.get("model") != self.options.name:
            raise Refused(404, f"The model `{request.get('model')}` does not exist.")
        self.requests += 1
        number = self.requests
        if chat:
            answer = wire.ChatAnswer(request, number, self.vocabulary)
        else:
            answer = wire.Completion(request, number, self.prompt_of(request), self.vocabulary)
        window, prompt = self.options.max_model_len, answer.prompt
        asked = request.get("max_tokens") or request.get("max_completion_tokens") or (16 if not chat else window - len(prompt))
        if len(prompt) + asked > window:
            raise Refused(400, f"This model's maximum context length is {window} tokens. However, you requested {len(prompt) + asked} tokens ({len(prompt)} in the messages, {asked} in the completion).")
        # Without a seed each answer has another one, and the whole server's life can still be repeated.
        seed = request.get("seed") if request.get("seed") is not None else self.options.seed * 1_000 + number
        top_p = float(request.get("top_p") or 1.0)
        plan = None
        if self.steering is not None:
            tools = {t["function"]["name"] for t in request.get("tools") or []} if chat else {"multi_tool_use", "prune_chunks"}
            # Each answer before this one ended with a call, in whatever way it was written.
            turns = prompt.count(v.CALL)
            plan = self.steering.plan(prompt, seed, tools, turns, final_tool=chat)
        done = sampling.Sampled()
        tokens = sampling.sample(
            self.model, prompt, max_tokens=asked, temperature=float(request.get("temperature", 1.0)), top_p=top_p, seed=seed,
            stop_ids=set(request.get("stop_token_ids") or []), plan=plan, free_ids=self.free_text if chat else self.free, into=done,
        )  # fmt: skip
        return answer, self.logged(tokens, done, answer, request, number, chat), done

    def logged(self, tokens, done, answer, request: dict, number: int, chat: bool):
        try:
            yield from tokens
        finally:
            line = {"number": number, "endpoint": "chat" if chat else "completions", "stream": request.get("stream") is True}
            line |= {key: request.get(key) for key in ("max_tokens", "temperature", "top_p", "seed", "stop_token_ids")}
            line |= {"prompt_ids": answer.prompt, "ids": done.ids, "logprobs": done.logprobs, "finish": done.finish}
            line |= {"forced": [i for i, forced in enumerate(done.forced) if forced]}
            if self.options.log is not None:
                with self.options.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")


def handler_of(server: Server):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def handle(self):
            try:
                super().handle()
            except ConnectionResetError:
                pass  # A client that ended between two requests.

        def json(self, status: int, value) -> None:
            body = json.dumps(value, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def refuse(self, status: int, message: str) -> None:
            self.json(status, {"error": {"message": message, "type": "BadRequestError", "param": None, "code": status}})

        def do_GET(self):
            if self.path != "/v1/models":
                return self.refuse(404, "Not Found")
            card = {"id": server.options.name, "object": "model", "created": 0, "max_model_len": server.options.max_model_len}
            self.json(200, {"object": "list", "data": [card]})

        def do_POST(self):
            length = int(self.headers.get("Content-Length") or 0)
            chat = self.path == "/v1/chat/completions"
            if length > BODY_BYTES_MAX or not (chat or self.path == "/v1/completions"):
                self.close_connection = True
                return self.refuse(413 if length > BODY_BYTES_MAX else 404, "Too large or no such address.")
            # One answer at a time: they would only take the same cores from each other.
            with server.lock:
                try:
                    request = json.loads(self.rfile.read(length))
                    answer, tokens, done = server.begin(request, chat)
                except Refused as refused:
                    return self.refuse(refused.status, str(refused))
                except (ValueError, KeyError, TypeError) as error:
                    return self.refuse(400, f"Not a usable request: {error!r}")
                if request.get("stream") is True:
                    return self.stream(answer.events(tokens, done), tokens)
                for _ in tokens:
                    pass
                self.json(200, answer.whole(done))

        def stream(self, events, tokens) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for data in events:
                    self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                tokens.close()

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves a tiny random gpt-oss in vLLM's wire format.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--name", default="tiny-gpt-oss")
    parser.add_argument("--steer", choices=["full", "none"], default="full")
    parser.add_argument("--seed", type=int, default=tiny_model.SEED, help="of the weights")
    parser.add_argument("--max-model-len", type=int, default=32_768)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--vocabulary", type=Path, default=v.PACKAGED)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    server = Server(options)
    http = ThreadingHTTPServer(("127.0.0.1", options.port), handler_of(server))
    ready = {"baseUrl": f"http://127.0.0.1:{http.server_port}/v1", "weights": tiny_model.fingerprint(server.model)}
    ready |= {"parameters": sum(p.numel() for p in server.model.parameters()), "steer": options.steer}
    print(json.dumps(ready), flush=True)
    http.serve_forever()


if __name__ == "__main__":
    main()
