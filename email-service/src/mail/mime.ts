import { ConfigError } from "@chargemesh/kit/config";
import { isEmail } from "@chargemesh/kit/rules";
import type { SendMailOptions } from "nodemailer";
import type { Mail } from "./transport.ts";

/** Whom mails come from. */
export interface From {
  name: string;
  address: string;
}

/** Reads MAIL_FROM: `address` or `Name <address>`. Throws ConfigError if it is neither. */
export function readFrom(mailFrom: string): From {
  const [, name = "", inBrackets] = /^([^<>]*)<([^<>]*)>$/.exec(mailFrom.trim()) ?? [];
  const address = (inBrackets ?? mailFrom).trim();
  if (!isEmail(address) || /\p{C}/u.test(name)) throw new ConfigError("bad configuration: MAIL_FROM must be an address, or Name <address>");
  return { name: name.trim(), address };
}

/** RFC 3834: whoever answers mails by themselves shall not answer ours. RFC 2369 and 8058: mail programs unsubscribe by a click of their own. */
function headersOf({ template, unsubscribeUrl }: Mail): NonNullable<SendMailOptions["headers"]> {
  return {
    ...(template === undefined ? {} : { "Auto-Submitted": "auto-generated" }),
    ...(unsubscribeUrl === undefined
      ? {}
      : {
          // As it is, on the line of its name: what is folded right behind that is legal, and yet not read by every program.
          "List-Unsubscribe": { prepared: true, value: `<${unsubscribeUrl}>` },
          "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }),
  };
}

/** What an RFC 5322 message is made from; the same bytes each time. */
export function toMime(mail: Mail, from: From): SendMailOptions {
  return {
    from,
    to: { name: "", address: mail.to },
    // Named here, so that nothing in a header can add a recipient.
    envelope: { from: from.address, to: [mail.to] },
    subject: mail.subject,
    text: mail.text,
    ...(mail.html === null ? {} : { html: mail.html }),
    date: mail.createTime,
    // By this the recipient's software, and we, tell a second copy.
    messageId: `<${mail.id}@${from.address.slice(from.address.lastIndexOf("@") + 1)}>`,
    baseBoundary: mail.id,
    headers: headersOf(mail),
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
