import { access, constants, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { type From, toMime } from "./mime.ts";
import type { Mail, MailTransport } from "./transport.ts";

const FILES_AT_ONCE = 5;

/**
 * Writes mails as files that any mail program opens: the very message that SMTP would carry. A file has its name only once it is whole, and
 * a mail that is sent twice has the same name twice.
 */
export function openMailDir(dir: string, from: From): MailTransport {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  const check = async (): Promise<void> => {
    await mkdir(dir, { recursive: true });
    await access(dir, constants.W_OK);
  };
  return {
    name: "mail-dir",
    atOnce: FILES_AT_ONCE,
    check,
    async send(mail) {
      try {
        await check();
        const { message } = await composer.sendMail(toMime(mail, from));
        const path = join(dir, fileNameOf(mail));
        await writeFile(`${path}.part`, message);
        await rename(`${path}.part`, path);
        return { kind: "taken" };
      } catch (err) {
        return { kind: "deferred", error: String(err) };
      }
    },
  };
}

/** 2026-11-03T17-05-09.123Z_welcome_alice@example.com_0b5ffd2e.eml: in order of time, and legal on every file system. */
function fileNameOf({ id, to, createTime, template = "message" }: Mail): string {
  const time = createTime.toISOString().replaceAll(":", "-");
  const address = to.replace(/[^\w.@+-]/g, "_").slice(0, 100);
  return `${time}_${template}_${address}_${id.slice(0, 8)}.eml`;
}
