import { phrase } from "../phrases.ts";
import { defineTemplate } from "./template.ts";

/** A webhook that has been switched off because its receiver kept failing. */
export interface DisabledWebhook {
  username: string;
  webhookId: string;
  url: string;
  /** What went wrong last: "HTTP 503". */
  reason: string;
}

const texts = {
  en: {
    subject: "One of your webhooks was disabled",
    what: "Its receiver could not be reached for so long that we no longer send events to it.",
    url: "URL",
    reason: "Last failure",
    webhook: "Webhook",
    advice: "What you can do",
    repair: "Repair the receiver: it must answer with a status from 200 to 299, in time and without redirects.",
    enable: (id: string) => `Enable the webhook again: PATCH /ocpp/webhooks/${id} with {"state": "ENABLED"}.`,
    replay: (id: string) => `Have the events that it missed sent again: POST /ocpp/webhooks/${id}:replay with the time to begin from.`,
    why: "You get this mail because the webhook is yours.",
  },
  de: {
    subject: "Einer Ihrer Webhooks wurde abgeschaltet",
    what: "Sein Empfänger war so lange nicht zu erreichen, dass wir ihm keine Ereignisse mehr schicken.",
    url: "URL",
    reason: "Letzter Fehler",
    webhook: "Webhook",
    advice: "Was Sie tun können",
    repair: "Bringen Sie den Empfänger in Ordnung: Er muss rechtzeitig und ohne Weiterleitung mit einem Status von 200 bis 299 antworten.",
    enable: (id: string) => `Schalten Sie den Webhook wieder ein: PATCH /ocpp/webhooks/${id} mit {"state": "ENABLED"}.`,
    replay: (id: string) =>
      `Lassen Sie sich die versäumten Ereignisse noch einmal schicken: POST /ocpp/webhooks/${id}:replay mit der Zeit, ab der sie kommen sollen.`,
    why: "Sie bekommen diese E-Mail, weil der Webhook Ihnen gehört.",
  },
};

export const webhookDisabled = defineTemplate<DisabledWebhook>({
  id: "webhook-disabled",
  category: "OPERATION",
  description: "To the owner of a webhook that was disabled because its receiver kept failing.",
  write({ username, webhookId, url, reason }, language) {
    const text = texts[language];
    const { hello, unknown } = phrase[language];
    return {
      subject: text.subject,
      preview: text.what,
      blocks: [
        hello(username),
        text.what,
        [
          [text.url, url],
          [text.reason, reason === "" ? unknown : reason],
          [text.webhook, webhookId],
        ],
        { heading: text.advice },
        { list: [text.repair, text.enable(webhookId), text.replay(webhookId)] },
      ],
      why: text.why,
    };
  },
  sample: () => ({
    username: "ada",
    webhookId: "0b5ffd2e-7c11-4b0e-9d6e-6f0a5b1c2d3e",
    url: "https://example.com/hooks/chargemesh",
    reason: "HTTP 503",
  }),
});
