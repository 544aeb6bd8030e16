import { randomInt } from "node:crypto";
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

/** Where systems take the ports that nobody asked for from 32768 on (Linux) or 49152 on, a port below cannot be given away between here and its use. */
const LOWEST = 10_000;
const HIGHEST = 32_767;
const TRIES = 100;

/** A port of 127.0.0.1 where nobody listens: `wanted` if that is one, else any. Throws if none was found. */
export async function freePort(wanted = 0): Promise<number> {
  if (wanted !== 0 && (await whyNotFree("127.0.0.1", wanted)) === undefined) return wanted;
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if ((await whyNotFree("127.0.0.1", port)) === undefined) return port;
  }
  throw new Error(`No free port of 127.0.0.1 was found between ${LOWEST} and ${HIGHEST}.`);
}
