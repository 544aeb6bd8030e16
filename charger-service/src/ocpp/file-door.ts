import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { AppError } from "@chargemesh/kit/errors";
import type { Logger } from "@chargemesh/kit/log";
import { withoutDatabase } from "@chargemesh/kit/postgres";
import { FileRefusal } from "../domain/file-refusal.ts";
import { type FileDeps, type Incoming, receiveFile } from "../domain/received-file.ts";
import { fileOfForm, isForm } from "./form-file.ts";
import { sendFirmware } from "./send-firmware.ts";
import type { RequestHandler } from "./server.ts";

const PLACE = /^\/(uploads|firmware)\/([^/?]*)(?:\/([^/?]*))?(?:\?.*)?$/;
/** 32 bytes in base64url. */
const TOKEN = /^[\w-]{43}$/;
/** Files that come to one URL at once: a charger that tries again may be there before we see that it had gone. More would only fill the storage. */
const UPLOADS_AT_ONCE = 3;
/** Whoever neither sends nor reads for so long is gone, in ms. */
const IDLE_MS = 60_000;
/** How much of what nobody wants is read, and for how long, so that whoever sends it comes to read why: in bytes and ms. */
const LINGER = { bytes: 4 * 1024 * 1024, ms: 2_000 };
const METHODS = { uploads: ["PUT", "POST"], firmware: ["GET", "HEAD"] } as const;

/** Takes the files that chargers upload, at /uploads/{token}/{fileName}, and gives them firmware, at /firmware/{token}/{fileName}. */
export function makeFileDoor(deps: FileDeps, log: Logger): RequestHandler {
  const coming = new Map<string, number>();
  const receive = async (token: string, open: () => Promise<Incoming>): Promise<void> => {
    const others = coming.get(token) ?? 0;
    if (others >= UPLOADS_AT_ONCE) throw new FileRefusal("FILE_URL_BUSY");
    coming.set(token, others + 1);
    try {
      await receiveFile(deps, token, open);
    } finally {
      const left = (coming.get(token) ?? 1) - 1;
      if (left === 0) coming.delete(token);
      else coming.set(token, left);
    }
  };
  return (request, response) => {
    const [, folder, token = "", name = ""] = PLACE.exec(request.url ?? "") ?? [];
    if (folder !== "uploads" && folder !== "firmware") return false;
    request.socket.setTimeout(IDLE_MS);
    const serve = async (): Promise<void> => {
      const allowed: readonly string[] = METHODS[folder];
      if (!allowed.includes(request.method ?? "")) {
        response.setHeader("allow", allowed.join(", "));
        return refuse(request, response, 405, "METHOD_NOT_ALLOWED", `Here only ${allowed.join(" and ")} mean something.`);
      }
      if (!TOKEN.test(token)) throw new FileRefusal("FILE_URL_UNKNOWN");
      if (folder === "firmware") return sendFirmware(deps, token, request, response);
      await receive(token, () => readIncoming(request, name));
      response.writeHead(201, { "content-length": 0 }).end();
    };
    serve().catch((thrown: unknown) => {
      const err = withoutDatabase(thrown);
      if (err instanceof FileRefusal) {
        log.info({ reason: err.reason, folder }, "refused a file");
        return refuse(request, response, err.httpStatus, err.reason, err.message);
      }
      if (err instanceof AppError) {
        log.warn({ err }, "a file could not be served");
        return refuse(request, response, 503, err.reason, err.message);
      }
      log.error({ err }, "a bug");
      return refuse(request, response, 500, "INTERNAL", "Something went wrong on our side.");
    });
    return true;
  };
}

async function readIncoming(request: IncomingMessage, name: string): Promise<Incoming> {
  if (request.headers["content-range"] !== undefined) throw new FileRefusal("FILE_PARTIAL");
  const length = request.headers["content-length"];
  const sent = { sizeBytes: length === undefined ? undefined : Number(length), remoteAddress: request.socket.remoteAddress ?? "" };
  if (!isForm(request)) return { ...sent, fileName: decode(name), content: whole(request) };
  const { fileName, content } = await fileOfForm(request);
  // The form around the file is larger than the file.
  return { ...sent, sizeBytes: undefined, fileName: decode(name) || fileName, content: whole(content) };
}

/** What comes. The stream stays, whatever becomes of its content: there is still an answer to give. */
async function* whole(stream: Readable): AsyncGenerator<Buffer> {
  try {
    yield* stream.iterator({ destroyOnReturn: false });
  } catch (cause) {
    throw new FileRefusal("FILE_BROKEN_OFF", { cause });
  }
}

/** Percent-decoded; what cannot be decoded stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Answers with an error. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number, reason: string, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify({ error: { code: status, reason, message } });
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body), connection: "close" });
  response.write(body);
  linger(request, () => response.end());
}

/** Goes on reading for a while before it is over: who is cut off while sending never sees an answer. */
function linger(request: IncomingMessage, over: () => void): void {
  if (request.complete || request.destroyed) {
    over();
    return;
  }
  const timer = setTimeout(over, LINGER.ms);
  const end = (): void => {
    clearTimeout(timer);
    over();
  };
  let left = LINGER.bytes;
  request.unpipe();
  request.on("data", (part: Buffer) => {
    left -= part.length;
    if (left < 0) end();
  });
  request.once("end", end).once("close", end).resume();
}
