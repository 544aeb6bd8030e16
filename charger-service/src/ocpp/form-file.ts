import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { Busboy, type BusboyHeaders, type BusboyInstance } from "@fastify/busboy";
import { FileRefusal } from "../domain/file-refusal.ts";

/** Fields beside the file, and their sizes, that are read and thrown away. */
const FIELDS_MAX = 20;
const FIELD_BYTES_MAX = 10_000;

/** Whether a body is a web form with files, which some chargers send in place of the file itself. */
export function isForm(request: IncomingMessage): boolean {
  return /^multipart\/form-data\s*;/i.test(request.headers["content-type"] ?? "");
}

/** The first file in a form, as it comes. Throws FileRefusal if there is none; a form that breaks off breaks the content off. */
export function fileOfForm(request: IncomingMessage): Promise<{ fileName: string; content: Readable }> {
  return new Promise((resolve, reject) => {
    const form = makeForm(request);
    let file: Readable | undefined;
    const breakOff = (cause?: unknown): void => {
      const refusal = new FileRefusal("FILE_BROKEN_OFF", { cause });
      reject(refusal);
      file?.destroy(refusal);
    };
    form.on("file", (_field, content, fileName = "") => {
      file = content;
      // It may break off before anybody reads it, and whoever does is told then.
      content.on("error", () => undefined);
      resolve({ fileName, content });
    });
    form.on("finish", () => reject(new FileRefusal("FILE_MISSING")));
    form.on("error", breakOff);
    request.on("error", breakOff);
    request.once("close", () => {
      if (!request.complete) breakOff();
    });
    // It may have gone before anybody listened.
    if (request.destroyed) breakOff();
    else request.pipe(form);
  });
}

/** Throws FileRefusal for a form that does not say where its parts begin. */
function makeForm({ headers }: IncomingMessage): BusboyInstance {
  try {
    return new Busboy({ headers: headers as BusboyHeaders, limits: { files: 1, fields: FIELDS_MAX, fieldSize: FIELD_BYTES_MAX } });
  } catch (cause) {
    throw new FileRefusal("FILE_MISSING", { cause });
  }
}
