import type { AddressInfo } from "node:net";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** What a server says to a recipient or a message: an SMTP reply, or nothing for "fine". */
type Reply = { code: number; text: string } | undefined;

/** A real SMTP server whose answers a test chooses. */
export interface MailServer {
  port: number;
  /** What it has taken, oldest first. */
  mails: (Email & { raw: string; envelope: string[]; secure: boolean; user: string | undefined })[];
  /** How often it was handed a message, whatever it answered. */
  attempts: number;
  onSender(): Reply;
  onRecipient(address: string): Reply;
  onMessage(): Promise<Reply> | Reply;
  close(): Promise<void>;
}

export async function startMailServer(
  options: SMTPServerOptions = { hideSTARTTLS: true, authOptional: true },
  port = 0,
): Promise<MailServer> {
  const smtp = new SMTPServer({
    disableReverseLookup: true,
    closeTimeout: 1,
    ...options,
    onAuth(auth, _session, done) {
      if (auth.username === "mesh" && auth.password === "p@ss") done(null, { user: auth.username });
      else done(refusal({ code: 535, text: "5.7.8 who are you" }));
    },
    onMailFrom(_address, _session, done) {
      done(refusal(server.onSender()));
    },
    onRcptTo({ address }, _session, done) {
      done(refusal(server.onRecipient(address)));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", async () => {
        server.attempts += 1;
        const reply = await server.onMessage();
        const raw = Buffer.concat(chunks);
        if (reply === undefined) {
          server.mails.push({
            ...(await PostalMime.parse(raw)),
            raw: raw.toString("latin1"),
            envelope: session.envelope.rcptTo.map(({ address }) => address),
            secure: session.secure,
            user: session.user === undefined ? undefined : String(session.user),
          });
        }
        done(refusal(reply));
      });
    },
  });
  // Clients that hang up are no news.
  smtp.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    smtp.listen(port, "127.0.0.1", resolve);
  });
  const server: MailServer = {
    port: (smtp.server.address() as AddressInfo).port,
    mails: [],
    attempts: 0,
    onSender: () => undefined,
    onRecipient: () => undefined,
    onMessage: () => undefined,
    close: () => new Promise((resolve) => smtp.close(() => resolve())),
  };
  return server;
}

function refusal(reply: Reply): Error | null {
  return reply === undefined ? null : Object.assign(new Error(reply.text), { responseCode: reply.code });
}
