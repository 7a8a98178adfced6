import { afterEach, describe, expect, test } from "vitest";
import { refusal } from "../../testing/chat-fixture.ts";
import { openTestCompletions } from "../../testing/harmony-fixture.ts";
import { startWireServer, type WireReply, type WireRequest, type WireServer } from "../../testing/wire-server.ts";
import { refusedField } from "../chat/refusals.ts";

const servers: WireServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const request = {
  prompt: [1, 2, 3],
  maxTokens: 100,
  stopIds: [200_002, 200_012],
  stopTexts: ["<|return|>", "<|call|>"],
  temperature: 1,
  topP: 0.9,
};
/** The fields of `/v1/completions` in OpenAI's own description. */
const KNOWN = "model prompt max_tokens temperature top_p seed stream stream_options logprobs stop".split(" ");
const fieldsOf = (sent: WireRequest | undefined): string[] => Object.keys((sent?.body ?? {}) as object);
const strangers = (sent: WireRequest | undefined): string[] => fieldsOf(sent).filter((name) => !KNOWN.includes(name));

async function open(reply: (request: WireRequest) => WireReply) {
  const server = await startWireServer({ replies: reply });
  servers.push(server);
  const notices: string[] = [];
  const model = openTestCompletions(server.baseUrl);
  const complete = () => model.complete(request, { onNotice: (code, message) => notices.push(`${code}: ${message}`) });
  return { complete, notices, requests: server.requests };
}

/** Ways in which servers say that they do not know a field. */
const strict: readonly [string, (fields: readonly string[]) => WireReply][] = [
  ["all of them, in words", (fields) => refusal(400, `Unrecognized request arguments supplied: ${fields.join(", ")}`)],
  ["the first of them", ([first]) => refusal(400, `Unknown field: ${first}`)],
  [
    "as a list of faults",
    (fields) => ({
      status: 422,
      body: {
        detail: fields.map((field) => ({ type: "extra_forbidden", loc: ["body", field], input: "x".repeat(500) })),
      },
    }),
  ],
];

describe("a server that knows only OpenAI's fields", () => {
  test.each(strict)("and names %s is asked once more with those, and told to stop in text", async (_name, refuse) => {
    const { complete, notices, requests } = await open((sent) => {
      const extra = strangers(sent);
      return extra.length > 0 ? refuse(extra) : { text: "plain", idsAs: "none" };
    });
    expect(await complete()).toMatchObject({ text: "plain", sampling: { temperature: 1, topP: 0.9 } });
    expect(requests).toHaveLength(2);
    expect(strangers(requests[1])).toEqual([]);
    expect(requests[1]?.body).toMatchObject({ prompt: [1, 2, 3], temperature: 1, stop: ["<|return|>", "<|call|>"] });
    expect(notices[0]).toMatch(/^extra_fields_refused: The model server does not take the fields that vLLM adds/);
    await complete();
    expect(requests).toHaveLength(3);
    expect(notices.filter((notice) => notice.startsWith("extra_fields_refused"))).toHaveLength(2);
  });

  test("each field beside OpenAI's is known by its name in a refusal", async () => {
    const { complete, requests } = await open(() => ({ ids: [200_002] }));
    await complete();
    expect(strangers(requests[0]).length).toBeGreaterThan(3);
    expect(requests[0]?.body).not.toHaveProperty("stop");
    for (const name of strangers(requests[0])) {
      const found = refusedField({ status: 400, said: `unknown field ${name}`, code: "" }, new Set(["extra_fields"]));
      expect(found, name).toBe("extra_fields");
    }
  });

  test("and refuses still is asked twice", async () => {
    const { complete, requests } = await open(() => refusal(400, "Unknown field: return_token_ids"));
    await expect(complete()).rejects.toMatchObject({ code: "policy_failed" });
    expect(requests).toHaveLength(2);
  });
});

describe("a server that takes no temperature", () => {
  test("is asked without it, keeps the rest, and the answer says so", async () => {
    const { complete, notices, requests } = await open((sent) =>
      fieldsOf(sent).includes("temperature")
        ? refusal(400, "Unsupported parameter: 'temperature' is not supported with this model.")
        : { ids: [200_002] },
    );
    expect(await complete()).toMatchObject({ ids: [200_002], sampling: { topP: 0.9 } });
    expect((await complete()).sampling).toEqual({ topP: 0.9 });
    expect(requests).toHaveLength(3);
    expect(requests[1]?.body).toMatchObject({ return_token_ids: true, top_p: 0.9 });
    expect(notices[0]).toMatch(/^temperature_refused: /);
  });

  test("and none of the extra fields either gets neither", async () => {
    const { complete, requests } = await open((sent) => {
      if (strangers(sent).length > 0) return refusal(400, "Unknown field: return_token_ids");
      return fieldsOf(sent).includes("temperature") ? refusal(400, "no temperature") : { text: "x", idsAs: "none" };
    });
    expect(await complete()).toMatchObject({ text: "x" });
    expect(requests).toHaveLength(3);
  });
});
