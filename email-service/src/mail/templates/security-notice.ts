import type { Document } from "../document.ts";

/** What a user is told of. */
export type NoticeKind =
  | "PASSWORD_CHANGED"
  | "EMAIL_CHANGED"
  | "LOCKED_OUT"
  | "REFRESH_TOKEN_REUSED"
  | "API_KEY_CREATED"
  | "ACCOUNT_DELETED";

export interface Notice {
  kind: NoticeKind;
  username: string;
  time: Date | undefined;
  /** Empty if it is not known. */
  remoteAddress: string;
}

const NOT_YOU = "If this was not you, set a new password at once: whoever did it may know yours.";

const texts: Record<NoticeKind, { subject: string; what: string; advice: string }> = {
  PASSWORD_CHANGED: {
    subject: "Your password was changed",
    what: "the password of your account was changed, and every session that was open has ended.",
    advice: NOT_YOU,
  },
  EMAIL_CHANGED: {
    subject: "Your email address was changed",
    what: "your account has a new email address. Mails no longer come to this one.",
    advice: "If this was not you, tell whoever runs this service at once: somebody knows your password.",
  },
  LOCKED_OUT: {
    subject: "Your account is locked for a while",
    what: "there were too many wrong passwords for your account, so that nobody can sign in to it for a while.",
    advice: "Sessions that are open go on. If this was not you, there is nothing you need to do; your password was not found out.",
  },
  REFRESH_TOKEN_REUSED: {
    subject: "One of your sessions was ended",
    what: "something that only one of your devices should have was used twice. That session was ended, because it may have been stolen.",
    advice: NOT_YOU,
  },
  API_KEY_CREATED: {
    subject: "A new API key for your account",
    what: "an API key was made, with which a program can act for you.",
    advice: "If this was not you, revoke the key and set a new password.",
  },
  ACCOUNT_DELETED: {
    subject: "Your account was deleted",
    what: "your account was deleted, and what we knew of you with it. This is the last mail that you get from us.",
    advice: "If this was not you, tell whoever runs this service.",
  },
};

/** For somebody to whose account something happened that may not have been them. */
export function securityNotice({ kind, username, time, remoteAddress }: Notice): Document {
  const { subject, what, advice } = texts[kind];
  return {
    subject,
    blocks: [
      `Hello ${username},`,
      what,
      [
        ["When", time === undefined ? "unknown" : `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`],
        ["From the address", remoteAddress === "" ? "unknown" : remoteAddress],
      ],
      advice,
    ],
  };
}
