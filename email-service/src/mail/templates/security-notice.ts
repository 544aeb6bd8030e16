import { figures } from "../figures.ts";
import type { Language } from "../language.ts";
import { phrase } from "../phrases.ts";
import { defineTemplate } from "./template.ts";

/** What a user is told of. */
export type NoticeKind =
  | "PASSWORD_CHANGED"
  | "EMAIL_CHANGED"
  | "LOCKED_OUT"
  | "REFRESH_TOKEN_REUSED"
  | "API_KEY_CREATED"
  | "ACCOUNT_DELETED";

/** Something that happened to somebody's account and that may not have been them. */
export interface Notice {
  kind: NoticeKind;
  username: string;
  time: Date | undefined;
  /** Empty if it is not known. */
  remoteAddress: string;
}

/** What a notice says of one thing. */
interface Words {
  subject: string;
  what: string;
  advice: string;
}

const english: Record<NoticeKind, Words> = {
  PASSWORD_CHANGED: {
    subject: "Your password was changed",
    what: "The password of your account was changed, and every session that was open has ended.",
    advice: "If this was not you, set a new password at once: whoever did it may know yours.",
  },
  EMAIL_CHANGED: {
    subject: "Your email address was changed",
    what: "Your account has a new email address. Mails no longer come to this one.",
    advice: "If this was not you, tell whoever runs this service at once: somebody knows your password.",
  },
  LOCKED_OUT: {
    subject: "Your account is locked for a while",
    what: "There were too many wrong passwords for your account, so nobody can sign in to it for a while.",
    advice: "Sessions that are open go on. If this was not you, there is nothing you need to do: your password was not found out.",
  },
  REFRESH_TOKEN_REUSED: {
    subject: "One of your sessions was ended",
    what: "Something that only one of your devices should have was used twice. That session was ended, because it may have been stolen.",
    advice: "If you do not know why, set a new password: whoever did it may know yours.",
  },
  API_KEY_CREATED: {
    subject: "A new API key for your account",
    what: "An API key was made, with which a program can act for you.",
    advice: "If this was not you, revoke the key and set a new password.",
  },
  ACCOUNT_DELETED: {
    subject: "Your account was deleted",
    what: "Your account was deleted, and what we knew of you with it. This is the last mail that you get from us.",
    advice: "If this was not you, tell whoever runs this service.",
  },
};

const german: Record<NoticeKind, Words> = {
  PASSWORD_CHANGED: {
    subject: "Ihr Passwort wurde geändert",
    what: "Das Passwort Ihres Kontos wurde geändert, und alle offenen Sitzungen wurden beendet.",
    advice: "Wenn Sie das nicht waren, legen Sie sofort ein neues Passwort fest: Jemand kennt womöglich Ihres.",
  },
  EMAIL_CHANGED: {
    subject: "Ihre E-Mail-Adresse wurde geändert",
    what: "Ihr Konto hat eine neue E-Mail-Adresse. An diese hier schicken wir keine E-Mails mehr.",
    advice: "Wenn Sie das nicht waren, wenden Sie sich sofort an den Betreiber dieses Dienstes: Jemand kennt Ihr Passwort.",
  },
  LOCKED_OUT: {
    subject: "Ihr Konto ist vorübergehend gesperrt",
    what: "Für Ihr Konto wurde zu oft ein falsches Passwort eingegeben. Deshalb kann sich eine Weile niemand anmelden.",
    advice: "Offene Sitzungen laufen weiter. Wenn Sie das nicht waren, müssen Sie nichts tun: Ihr Passwort wurde nicht erraten.",
  },
  REFRESH_TOKEN_REUSED: {
    subject: "Eine Ihrer Sitzungen wurde beendet",
    what: "Etwas, das nur eines Ihrer Geräte haben sollte, wurde zweimal benutzt. Die Sitzung wurde beendet, weil sie gestohlen sein könnte.",
    advice: "Wenn Sie sich das nicht erklären können, legen Sie ein neues Passwort fest: Jemand kennt womöglich Ihres.",
  },
  API_KEY_CREATED: {
    subject: "Ein neuer API-Schlüssel für Ihr Konto",
    what: "Es wurde ein API-Schlüssel erstellt, mit dem ein Programm in Ihrem Namen handeln kann.",
    advice: "Wenn Sie das nicht waren, widerrufen Sie den Schlüssel und legen Sie ein neues Passwort fest.",
  },
  ACCOUNT_DELETED: {
    subject: "Ihr Konto wurde gelöscht",
    what: "Ihr Konto wurde gelöscht, und mit ihm alles, was wir über Sie wussten. Dies ist die letzte E-Mail, die Sie von uns bekommen.",
    advice: "Wenn Sie das nicht waren, wenden Sie sich an den Betreiber dieses Dienstes.",
  },
};

const texts: Record<Language, { kinds: Record<NoticeKind, Words>; when: string; remoteAddress: string; why: string }> = {
  en: {
    kinds: english,
    when: "When",
    remoteAddress: "From the address",
    why: "You get this mail because it is about the security of your account. Such mails cannot be unsubscribed from.",
  },
  de: {
    kinds: german,
    when: "Wann",
    remoteAddress: "Von der Adresse",
    why: "Sie bekommen diese E-Mail, weil es um die Sicherheit Ihres Kontos geht. Solche E-Mails lassen sich nicht abbestellen.",
  },
};

export const securityNotice = defineTemplate<Notice>({
  id: "security-notice",
  category: "ACCOUNT",
  description: "To a user to whose account something happened that may not have been them.",
  write({ kind, username, time, remoteAddress }, language) {
    const { kinds, when, remoteAddress: from, why } = texts[language];
    const { subject, what, advice } = kinds[kind];
    const { hello, unknown } = phrase[language];
    return {
      subject,
      preview: what,
      blocks: [
        hello(username),
        what,
        [
          [when, time === undefined ? unknown : figures[language].time(time)],
          [from, remoteAddress === "" ? unknown : remoteAddress],
        ],
        advice,
      ],
      why,
    };
  },
  sample: () => ({
    kind: "PASSWORD_CHANGED",
    username: "ada",
    time: new Date("2026-11-03T17:05:09Z"),
    remoteAddress: "192.0.2.7",
  }),
});
