import { WinnowError } from "../../core/errors.ts";
import type { ServiceEffects } from "../attempts.ts";
import { serviceBase, serviceKey } from "../service-access.ts";
import type { Price } from "./prices.ts";

/** What stands before the first colon of a policy's name. */
export const CHAT_KINDS = ["openai-compatible", "ollama", "openai", "anthropic"] as const;
export type ChatKind = (typeof CHAT_KINDS)[number];

export const REASONING_LEVELS = ["low", "medium", "high"] as const;
export type ReasoningLevel = (typeof REASONING_LEVELS)[number];

/** One answer, from the request to its last token. A long prompt on a slow machine takes minutes to read. */
export const ANSWER_TIMEOUT_MS = 300_000;

export interface ChatModelOptions extends ServiceEffects {
  readonly kind: ChatKind;
  readonly model: string;
  /** Address of the service up to and including `/v1`; needed for `openai-compatible`, known for the others. */
  readonly baseUrl?: string | undefined;
  /** Name of the environment variable that holds the key; known for `openai` and `anthropic`, none for the others. */
  readonly apiKeyEnv?: string | undefined;
  /** Where that variable is looked up; default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Keyed by `KIND:MODEL` or `MODEL`. */
  readonly prices?: Readonly<Record<string, Price>>;
  /** How much the model shall reason, for those that take such a setting; default the server's. */
  readonly reasoning?: ReasoningLevel | undefined;
  /** Default 300,000. */
  readonly answerTimeoutMs?: number | undefined;
}

/** Where a model is and how to speak of it. */
export interface Endpoint {
  readonly kind: ChatKind;
  readonly name: string;
  readonly model: string;
  /** What to call the service in messages. */
  readonly label: string;
  readonly base: URL;
  readonly key: string | undefined;
  readonly keyVariable: string | undefined;
  readonly answerTimeoutMs: number;
  /** What is asked there, where that is not chat completions. */
  readonly api?: "completions";
}

interface Known {
  readonly label: string;
  readonly baseUrl?: string;
  readonly keyVariable?: string;
}

const KNOWN: Readonly<Record<ChatKind, Known>> = {
  "openai-compatible": { label: "The model server" },
  ollama: { label: "Ollama", baseUrl: "http://127.0.0.1:11434/v1" },
  openai: { label: "OpenAI", baseUrl: "https://api.openai.com/v1", keyVariable: "OPENAI_API_KEY" },
  anthropic: { label: "Anthropic", baseUrl: "https://api.anthropic.com/v1", keyVariable: "ANTHROPIC_API_KEY" },
};

/** Checks address and key without asking the service. Rejects with `invalid_argument`. */
export function endpointOf(options: ChatModelOptions): Endpoint {
  const { kind, model, environment = process.env } = options;
  const known = KNOWN[kind];
  if (model.trim() === "") {
    throw new WinnowError("invalid_argument", `The policy ${kind} needs the name of a model.`, {
      hint: `Write --policy ${kind}:MODEL`,
    });
  }
  const baseUrl = options.baseUrl ?? known.baseUrl;
  if (baseUrl === undefined) {
    throw new WinnowError("invalid_argument", `The address of the server of ${model} is missing.`, {
      hint: "Give it with --base-url, e.g. --base-url http://127.0.0.1:8000/v1",
    });
  }
  const keyVariable = options.apiKeyEnv ?? known.keyVariable;
  return {
    kind,
    name: `${kind}:${model}`,
    model,
    label: known.label,
    base: serviceBase(baseUrl, "the model server"),
    key: serviceKey(keyVariable, environment),
    keyVariable,
    answerTimeoutMs: options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
  };
}
