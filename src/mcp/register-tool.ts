import type { CallToolResult, McpServer, ServerContext, StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import type { z } from "zod";
import { toWinnowError, type WinnowError } from "../core/errors.ts";
import { stripControl } from "../core/text.ts";

/** What a tool is told of the call besides its arguments. */
export interface CallContext {
  readonly signal: AbortSignal;
  /** Tells a caller that asked for it how far the work is; costs nothing for others. */
  progress(message: string): void;
}

/** The same content twice: for a model to read, and typed for a program. */
export interface ToolAnswer<Output> {
  readonly text: string;
  readonly structured: Output;
}

export interface ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  run(input: z.output<Input>, context: CallContext): Promise<ToolAnswer<z.input<Output>>>;
}

/** Nothing that we offer changes a corpus or reaches beyond the configured ones. */
const READ_ONLY = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;

/** Adds a tool. Whatever its work throws becomes an answer that says what to do, so that the calling model can act on it. */
export function registerTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  server: McpServer,
  tool: ToolDefinition<Input, Output>,
): void {
  const { name, title, description } = tool;
  const call = async (input: z.output<Input>, context: ServerContext): Promise<CallToolResult> => {
    try {
      const { text, structured } = await tool.run(input, callContext(context));
      return { content: [{ type: "text", text }], structuredContent: structured as Record<string, unknown> };
    } catch (error) {
      return failure(toWinnowError(error));
    }
  };
  // Named by what the library asks of a schema: its own inference gives up on one that is a parameter of ours.
  const inputSchema: StandardSchemaWithJSON<unknown, z.output<Input>> = tool.input;
  const config = { title, description, inputSchema, outputSchema: tool.output, annotations: READ_ONLY };
  server.registerTool(name, config, call);
}

function failure({ code, message, hint }: WinnowError): CallToolResult {
  const text = stripControl(hint === undefined ? `${message} (${code})` : `${message} (${code})\nhint: ${hint}`);
  return { isError: true, content: [{ type: "text", text }] };
}

function callContext({ mcpReq }: ServerContext): CallContext {
  const progressToken = mcpReq._meta?.progressToken;
  let progress = 0;
  return {
    signal: mcpReq.signal,
    progress(message) {
      if (progressToken === undefined || mcpReq.signal.aborted) return;
      progress++;
      const params = { progressToken, progress, message: stripControl(message) };
      // A caller that is gone is told nothing.
      mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined);
    },
  };
}
