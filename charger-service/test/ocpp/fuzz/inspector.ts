import { once } from "node:events";
import { WebSocket } from "ws";

/** What a process of Node uses, in MiB, once what it does not need any more is gone. */
export interface Usage {
  heap: number;
  rss: number;
}

/** The inspector of a process that was started with `--inspect`. */
export interface Inspector {
  usage(): Promise<Usage>;
  close(): void;
}

export async function inspect(port: number): Promise<Inspector> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? "");
  await once(socket, "open");
  let ids = 0;
  const ask = (method: string, params: object = {}): Promise<{ result?: { value?: unknown } }> =>
    new Promise((resolve, reject) => {
      const id = ++ids;
      const hear = (data: Buffer): void => {
        const message = JSON.parse(data.toString());
        if (message.id !== id) return;
        socket.off("message", hear);
        if (message.error === undefined) resolve(message.result);
        else reject(new Error(message.error.message));
      };
      socket.on("message", hear);
      socket.send(JSON.stringify({ id, method, params }));
    });
  return {
    async usage() {
      await ask("HeapProfiler.collectGarbage");
      await ask("HeapProfiler.collectGarbage");
      const { result } = await ask("Runtime.evaluate", { expression: "JSON.stringify(process.memoryUsage())" });
      const { heapUsed, external, rss } = JSON.parse(String(result?.value));
      return { heap: (heapUsed + external) / 2 ** 20, rss: rss / 2 ** 20 };
    },
    close: () => socket.close(),
  };
}
