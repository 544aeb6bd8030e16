import { once } from "node:events";
import { createServer } from "node:net";

/** Why nobody can listen there: EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOTFOUND …; undefined if one can. */
export async function whyNotFree(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
    return undefined;
  } catch (err) {
    return err instanceof Error && "code" in err ? String(err.code) : String(err);
  } finally {
    server.close();
  }
}

/** A port of 127.0.0.1 where nobody listens: `wanted` if that is one, else any. */
export async function freePort(wanted = 0): Promise<number> {
  if (wanted !== 0 && (await whyNotFree("127.0.0.1", wanted)) === undefined) return wanted;
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
