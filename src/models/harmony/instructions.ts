import type { DeveloperMessage, HarmonyMessage, HarmonyNamespace, SystemMessage } from "./conversation.ts";
import { typeOfSchema } from "./tool-types.ts";

/** The identity that the published models were trained with; another one belongs into the developer message. */
const DEFAULT_IDENTITY = "You are ChatGPT, a large language model trained by OpenAI.";
const DEFAULT_CUTOFF = "2024-06";
const DEFAULT_CHANNELS: readonly string[] = ["analysis", "commentary", "final"];
/** The namespace whose tools must be called on the commentary channel. */
export const FUNCTIONS = "functions";

/** Whether any developer message offers functions; the system message then says where calls to them go. */
export function offersFunctions(conversation: readonly HarmonyMessage[]): boolean {
  return conversation.some(
    (message) =>
      message.role === "developer" &&
      message.kind === "settings" &&
      lastOf(message.tools ?? []).some(({ name, tools }) => name === FUNCTIONS && tools.length > 0),
  );
}

/** Text of a system message. */
export function systemText(message: SystemMessage, functions: boolean): string {
  const { identity = DEFAULT_IDENTITY, knowledgeCutoff = DEFAULT_CUTOFF, date = null, effort = "medium" } = message;
  const { channels = DEFAULT_CHANNELS, channelRequired = true, tools = [] } = message;
  const top: string[] = [];
  if (identity !== null) top.push(identity);
  if (knowledgeCutoff !== null) top.push(`Knowledge cutoff: ${knowledgeCutoff}`);
  if (date !== null) top.push(`Current date: ${date}`);
  const sections: string[] = [];
  if (top.length > 0) sections.push(top.join("\n"));
  if (effort !== null) sections.push(`Reasoning: ${effort}`);
  if (tools.length > 0) sections.push(toolsText(tools));
  if (channels.length > 0) {
    const required = channelRequired ? " Channel must be included for every message." : "";
    const note = functions ? "\nCalls to these tools must go to the commentary channel: 'functions'." : "";
    sections.push(`# Valid channels: ${channels.join(", ")}.${required}${note}`);
  }
  return sections.join("\n\n");
}

/** Text of a developer message. */
export function developerText({ instructions, tools = [] }: DeveloperMessage): string {
  const sections = instructions === undefined ? [] : ["# Instructions", instructions];
  if (tools.length > 0) sections.push(toolsText(tools));
  return sections.join("\n\n");
}

/** Namespaces stand in the order of their names' bytes; of two with one name the last one counts. */
function lastOf(namespaces: readonly HarmonyNamespace[]): HarmonyNamespace[] {
  const byName = new Map(namespaces.map((namespace) => [namespace.name, namespace]));
  return [...byName.values()].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

function toolsText(namespaces: readonly HarmonyNamespace[]): string {
  return ["# Tools", ...lastOf(namespaces).map(namespaceText)].join("\n\n");
}

function namespaceText({ name, description, tools }: HarmonyNamespace): string {
  const lines = [`## ${name}\n`];
  const comment = (text: string): string[] => linesOf(text).map((line) => `// ${line}`);
  if (description !== undefined) lines.push(...(tools.length > 0 ? comment(description) : linesOf(description)));
  if (tools.length > 0) {
    lines.push(`namespace ${name} {\n`);
    for (const tool of tools) {
      lines.push(...comment(tool.description));
      const parameters = tool.parameters === undefined ? "" : `_: ${typeOfSchema(tool.parameters)}`;
      lines.push(`type ${tool.name} = (${parameters}) => any;\n`);
    }
    lines.push(`} // namespace ${name}`);
  }
  return lines.join("\n");
}

/** Lines without their ends; a line end at the end of the text begins no further line. */
function linesOf(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n").map((line) => line.replace(/\r$/, ""));
}
