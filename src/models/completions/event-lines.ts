/** UTF-16 units of one event; a piece of an answer has some hundred. */
const LINE_UNITS_MAX = 2 ** 20;

/**
 * The data of a stream of server-sent events, one string an event, until `[DONE]` or the end. Events of one line, as
 * model servers send them; comments and other fields are skipped. An event that the end cuts is left out.
 */
export async function* eventData(parts: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of parts) {
    const text = decoder.decode(part, { stream: true });
    rest += text;
    // A line that trickles in is looked at once, when it is whole.
    if (!/[\r\n]/.test(text) && rest.length <= LINE_UNITS_MAX) continue;
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    if (rest.length > LINE_UNITS_MAX) return;
    for (const line of lines) {
      const data = /^data: ?(.*)$/s.exec(line)?.[1]?.trim();
      if (data === "[DONE]") return;
      if (data !== undefined && data !== "") yield data;
    }
  }
}
