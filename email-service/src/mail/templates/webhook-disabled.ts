import { figures } from "../figures.ts";
import type { Language } from "../language.ts";
import { phrase } from "../phrases.ts";
import { defineTemplate } from "./template.ts";

/** A webhook that was switched off though nobody asked for it. */
export interface DisabledWebhook {
  username: string;
  webhookId: string;
  url: string;
  /** Webhook.disable_reason: "FAILING", "GONE", "OWNER_DISABLED", "OWNER_DEMOTED". */
  reason: string;
  /** When the first of the failures happened that no success followed; undefined if there were none. */
  failingTime: Date | undefined;
}

type Why = "failing" | "gone" | "owner" | "other";

const reasons: Record<string, Why> = { FAILING: "failing", GONE: "gone", OWNER_DISABLED: "owner", OWNER_DEMOTED: "owner" };

interface Words {
  subject: string;
  what: Record<Why, string>;
  url: string;
  webhook: string;
  since: string;
  advice: string;
  repair: string;
  enable(id: string): string;
  replay(id: string, from: string): string;
  askAdmin: string;
  why: string;
}

const texts: Record<Language, Words> = {
  en: {
    subject: "One of your webhooks was disabled",
    what: {
      failing: "Every delivery to your webhook has failed for so long that we send it no more events.",
      gone: "The receiver of your webhook has answered 410 Gone, which says that it wants no more events. So we send it none.",
      owner: "You may not see any more what your webhook was told, so we send it no more events.",
      other: "We send no more events to your webhook.",
    },
    url: "URL",
    webhook: "Webhook",
    since: "Failing since",
    advice: "What you can do",
    repair: "Repair the receiver: it must answer with a status from 200 to 299, in time and without redirects.",
    enable: (id) => `Enable the webhook again: POST /ocpp/webhooks/${id}:enable`,
    replay: (id, from) => `Have sent again what it missed: POST /ocpp/webhooks/${id}:replay with {"startTime":"${from}"}`,
    askAdmin: "If that is a mistake, ask an administrator for the role that you had. Then you can enable the webhook again.",
    why: "You get this mail because the webhook is yours.",
  },
  de: {
    subject: "Einer Ihrer Webhooks wurde abgeschaltet",
    what: {
      failing: "Alle Zustellungen an Ihren Webhook sind so lange gescheitert, dass wir ihm keine Ereignisse mehr schicken.",
      gone: "Der Empfänger Ihres Webhooks hat mit 410 Gone geantwortet: Er will keine Ereignisse mehr. Deshalb schicken wir ihm keine.",
      owner: "Was Ihr Webhook gemeldet bekam, dürfen Sie nicht mehr sehen. Deshalb schicken wir ihm keine Ereignisse mehr.",
      other: "Wir schicken Ihrem Webhook keine Ereignisse mehr.",
    },
    url: "Adresse",
    webhook: "Webhook-ID",
    since: "Gescheitert seit",
    advice: "Was Sie tun können",
    repair: "Bringen Sie den Empfänger in Ordnung: Er muss rechtzeitig und ohne Weiterleitung mit einem Status von 200 bis 299 antworten.",
    enable: (id) => `Schalten Sie den Webhook wieder ein: POST /ocpp/webhooks/${id}:enable`,
    replay: (id, from) =>
      `Lassen Sie sich das Versäumte noch einmal schicken: POST /ocpp/webhooks/${id}:replay mit {"startTime":"${from}"}`,
    askAdmin:
      "Wenn das ein Versehen ist, bitten Sie einen Administrator um Ihre frühere Rolle. Dann können Sie den Webhook wieder einschalten.",
    why: "Sie bekommen diese E-Mail, weil der Webhook Ihnen gehört.",
  },
};

export const webhookDisabled = defineTemplate<DisabledWebhook>({
  id: "webhook-disabled",
  category: "OPERATION",
  description: "To the owner of a webhook that was disabled though nobody asked for it.",
  write({ username, webhookId, url, reason, failingTime }, language) {
    const text = texts[language];
    const why = Object.hasOwn(reasons, reason) ? (reasons[reason] ?? "other") : "other";
    const from = failingTime?.toISOString() ?? "…";
    return {
      subject: text.subject,
      preview: url,
      blocks: [
        phrase[language].hello(username),
        text.what[why],
        [
          [text.url, url],
          [text.webhook, webhookId],
          ...(failingTime === undefined ? [] : ([[text.since, figures[language].time(failingTime)]] as const)),
        ],
        { heading: text.advice },
        { list: why === "owner" ? [text.askAdmin] : [text.repair, text.enable(webhookId), text.replay(webhookId, from)] },
      ],
      why: text.why,
    };
  },
  sample: () => ({
    username: "ada",
    webhookId: "0b5ffd2e-7c11-4b0e-9d6e-6f0a5b1c2d3e",
    url: "https://example.com/hooks/chargemesh",
    reason: "FAILING",
    failingTime: new Date("2026-11-02T17:05:09Z"),
  }),
});
