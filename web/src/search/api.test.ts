import { describe, expect, test } from "vitest";
import { Api, type Message, TokenNeeded } from "./api.ts";

interface Asked {
  readonly path: string;
  readonly init: RequestInit;
}

function apiOf(answer: (asked: Asked) => Response | Promise<Response>): { api: Api; asked: Asked[] } {
  const asked: Asked[] = [];
  const api = new Api(async (path, init) => {
    asked.push({ path, init });
    return answer({ path, init });
  });
  return { api, asked };
}

const question = { query: "why?", corpora: [], since: "", where: "", k: 5 };
const signal = new AbortController().signal;
const stream = (...parts: string[]): Response =>
  new Response(
    new ReadableStream({
      start(controller) {
        for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
        controller.close();
      },
    }),
  );
const collect = async (messages: AsyncIterable<Message>): Promise<Message[]> => {
  const all: Message[] = [];
  for await (const message of messages) all.push(message);
  return all;
};

describe("the page's way to its server", () => {
  test("reads a stream however it is cut, and passes over what it does not know", async () => {
    const text =
      'event: header\ndata: {"type":"header","runId":"r","query":"ü"}\n\n: going on\n\n' +
      'event: text_delta\ndata: {"delta":"Let"}\n\nevent: new_kind\ndata: {}\n\n' +
      'event: end\ndata: {"type":"end","seq":4}\n\nevent: result\ndata: {"schema":"result/1"}\n\n';
    for (const size of [1, 7, text.length]) {
      const parts = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        text.slice(i * size, (i + 1) * size),
      );
      const { api } = apiOf(() => stream(...parts));
      expect((await collect(api.search(question, signal))).map(({ type }) => type)).toEqual([
        "header",
        "delta",
        "event",
      ]);
    }
  });

  test("sends what was chosen and leaves out what was not", async () => {
    const { api, asked } = apiOf(() => stream());
    await collect(api.search(question, signal));
    const where = "repository=core AND kind!=draft";
    await collect(api.search({ ...question, corpora: ["a"], since: "2026-05-01", where }, signal));
    expect(asked.map(({ init }) => JSON.parse(String(init.body)))).toEqual([
      { query: "why?", k: 5, stream: true },
      {
        ...{ query: "why?", k: 5, stream: true, corpora: ["a"], since: "2026-05-01" },
        where: ["repository=core", "kind!=draft"],
      },
    ]);
  });

  test("asks for a token where one is needed, and sends it from then on", async () => {
    const { api, asked } = apiOf(({ init }) =>
      new Headers(init.headers).get("authorization") === "Bearer secret"
        ? Response.json({ corpora: [{ name: "a" }] })
        : Response.json({ error: { message: "no" } }, { status: 401 }),
    );
    await expect(api.corpora()).rejects.toBeInstanceOf(TokenNeeded);
    api.token = " secret ";
    expect(await api.corpora()).toEqual([{ name: "a" }]);
    expect(asked).toHaveLength(2);
  });

  test("tells what the server says is wrong: before the stream, in it, and when it is gone", async () => {
    const error = { message: "The filter is not one.", hint: "Try path=…" };
    const refusing = apiOf(() => Response.json({ error }, { status: 400 })).api;
    await expect(collect(refusing.search(question, signal))).rejects.toMatchObject(error);
    const failing = apiOf(() => stream(`event: error\ndata: ${JSON.stringify({ error })}\n\n`)).api;
    await expect(collect(failing.search(question, signal))).rejects.toMatchObject(error);
    const odd = apiOf(() => new Response("<html>", { status: 502 })).api;
    await expect(odd.corpora()).rejects.toMatchObject({ message: "The server refused." });
    const gone = apiOf(() => Promise.reject(new TypeError("fetch failed"))).api;
    await expect(gone.corpora()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("lists runs without the rollouts of others", async () => {
    const runs = [
      { runId: "b", parent: "a" },
      { runId: "a", parent: null },
    ];
    const { api, asked } = apiOf(() => Response.json({ runs }));
    expect((await api.runs(7)).map(({ runId }) => runId)).toEqual(["a"]);
    expect(asked[0]?.path).toBe("/v1/runs?n=7");
  });
});
