import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Workspace } from "../features/workspace.ts";
import { createMcpServer } from "./server.ts";

/** Serves one caller over this process's standard input and output, until the caller closes them or `signal` aborts. */
export async function serveOverStdio(
  workspace: Workspace,
  { signal, onError }: { readonly signal: AbortSignal; readonly onError: (error: Error) => void },
): Promise<void> {
  const handle = serveStdio(() => createMcpServer(workspace), { onerror: onError });
  await new Promise<void>((resolve) => {
    for (const event of ["end", "close"] as const) process.stdin.once(event, resolve);
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await handle.close();
}
