import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** An HTTP server that takes files and gives them. */
export interface ScriptedFiles {
  readonly url: string;
  /** What was put, by its path. */
  readonly taken: Map<string, string>;
  /** What it gives, by its path. */
  readonly given: Map<string, Buffer>;
  /** How many requests it refuses from now on. */
  refuse: number;
  close(): Promise<void>;
}

export async function startFiles(): Promise<ScriptedFiles> {
  const files = { taken: new Map<string, string>(), given: new Map<string, Buffer>(), refuse: 0 };
  const server = createServer(async (request, response) => {
    const { method, url: path = "" } = request;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    if (files.refuse > 0) {
      files.refuse--;
      response.writeHead(503).end();
    } else if (method === "PUT") {
      files.taken.set(path, Buffer.concat(parts).toString());
      response.writeHead(201).end();
    } else {
      const file = files.given.get(path);
      response.writeHead(file === undefined ? 404 : 200).end(file);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(files, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}
