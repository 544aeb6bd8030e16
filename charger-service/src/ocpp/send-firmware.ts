import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { firmwareByToken } from "../db/firmware-update.ts";
import { FileRefusal } from "../domain/file-refusal.ts";
import { type ByteRange, stored } from "../domain/file-store.ts";
import { hashFileToken } from "../domain/file-url.ts";
import type { FileDeps } from "../domain/received-file.ts";

/** Gives a charger the firmware for which a URL was made, or the part of it that it asks for (RFC 9110, 14): chargers resume. Throws FileRefusal. */
export async function sendFirmware(
  { db, files, clock }: FileDeps,
  token: string,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const firmware = await firmwareByToken(db, hashFileToken(token));
  if (firmware === undefined || firmware.file_key === null) throw new FileRefusal("FILE_URL_UNKNOWN");
  if (firmware.expire_time <= clock.now()) throw new FileRefusal("FILE_URL_EXPIRED");
  const size = firmware.size_bytes ?? 0;
  const etag = `"${firmware.sha256?.toString("hex") ?? ""}"`;
  const about = { "content-type": "application/octet-stream", "accept-ranges": "bytes", etag };
  const isSame = headers["if-range"] === undefined || headers["if-range"] === etag;
  const range = isSame ? readRange(headers.range, size) : undefined;
  if (range === "unsatisfiable") {
    response.writeHead(416, { ...about, "content-range": `bytes */${size}`, "content-length": 0 }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  // Before anything is said: afterwards it is too late to say that the storage is away.
  const content = method === "HEAD" || size === 0 ? undefined : await stored(files.open(firmware.file_key, { start, end }));
  const part = range === undefined ? {} : { "content-range": `bytes ${start}-${end}/${size}` };
  response.writeHead(range === undefined ? 200 : 206, { ...about, ...part, "content-length": end - start + 1 });
  if (content === undefined) response.end();
  // A charger that goes away comes again.
  else await pipeline(content, response).catch(() => response.destroy());
}

/** The one range that is asked for. Undefined if it is none, several, or one that nobody can read: then it is the whole file. */
export function readRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const count = Math.min(Number(last), size);
    return count === 0 ? "unsatisfiable" : { start: size - count, end: size - 1 };
  }
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= size ? "unsatisfiable" : { start, end };
}
