import type { Stack } from "@chargemesh/kit/main";
import type { Config } from "../config.ts";
import type { Bounce } from "./bounce.ts";
import { openMailDir } from "./mail-dir.ts";
import { readFrom } from "./mime.ts";
import { openSmtp } from "./smtp.ts";

/** A mail as a transport takes it. */
export interface Mail {
  /** A UUID. A mail that is sent twice has the same one twice. */
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string | null;
  createTime: Date;
  /** undefined if a person wrote it. */
  template: string | undefined;
  /** Where its reader says that they want no more of its kind; undefined if that cannot be said of it. */
  unsubscribeUrl: string | undefined;
}

/** What became of a mail: it was taken, or refused for good, or may be taken another time. */
export type Outcome =
  | { kind: "taken" }
  | { kind: "deferred"; error: string }
  /** `bounce` is undefined if it was not the mail server who refused it. */
  | { kind: "refused"; error: string; bounce: Bounce | undefined };

/** Where mail goes. */
export interface MailTransport {
  /** As health calls it. */
  name: string;
  /** How many mails it takes at once. */
  atOnce: number;
  /** Hands over one mail. `signal` ends the wait; the mail may have been taken all the same. */
  send(mail: Mail, signal: AbortSignal): Promise<Outcome>;
  /** Resolves if mail could be handed over, rejects if not. Cheap enough to be asked every second. */
  check(): Promise<void>;
}

/** Opens SMTP if there are settings for it, else a folder. Throws ConfigError if one is wrong. */
export function openTransport({ smtp, mailDir, mailFrom }: Config, stack: Stack): MailTransport {
  const from = readFrom(mailFrom);
  return smtp === undefined ? openMailDir(mailDir, from) : openSmtp(smtp, from, stack);
}
