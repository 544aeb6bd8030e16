import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";
import type { Entry, Papers, Port } from "./mail-server-process.ts";

// A mail server as a process of its own, whose ports differ in what they offer and whose mailboxes in what they answer. It prints what it was
// told as lines of JSON. Its first argument is the certificate that it shows, as JSON.

const { certificate: cert, key }: Papers = JSON.parse(process.argv[2] ?? "");

const tell = (entry: Entry): void => void process.stdout.write(`${JSON.stringify(entry)}\n`);

type Reply = { code: number; text: string } | undefined;

/** What mailboxes answer to being named, by the part before the @; the others take everything. */
const atRecipient: Record<string, Reply> = {
  later: { code: 450, text: "4.2.1 The mailbox is busy" },
  closing: { code: 421, text: "4.3.2 Come back later" },
  gone: { code: 550, text: "5.1.1 There is no such mailbox" },
  bare: { code: 552, text: "Quota exceeded" },
};

/** What they answer to a mail. */
const atContent: Record<string, (content: string) => Reply | Promise<Reply>> = {
  spam: () => ({ code: 554, text: "5.7.1 We do not like what we read" }),
  unsaid: () => ({ code: 451, text: "4.3.0 Our filter is away" }),
  quoting: (content) => ({ code: 554, text: `5.7.1 No: ${linkIn(content)}` }),
  slow: () => released.promise.then(() => undefined),
  releasing: () => void released.resolve(),
};

/** Whoever is slow answers after somebody has written to "releasing". */
const released = Promise.withResolvers<void>();
/** The first link in the text of a mail, which some filters name. */
const linkIn = (content: string): string => /https?:\/\/\S+/.exec(content.replaceAll("=\r\n", "").replaceAll("=3D", "="))?.[0] ?? "";
const mailboxOf = (address = ""): string => address.slice(0, address.indexOf("@")).replace(/-\d+$/, "");
const refusal = (reply: Reply): Error | null =>
  reply === undefined ? null : Object.assign(new Error(reply.text), { responseCode: reply.code });
const wereCut = new Set<string>();

function open(name: Port, options: SMTPServerOptions): Promise<number> {
  const base = (session: SMTPServerSession) => ({ port: name, connection: session.id, secure: session.secure });
  /** Hangs up in the middle of the first mail to a mailbox that does. */
  const isCut = (to: string, { id }: SMTPServerSession): boolean => {
    if (mailboxOf(to) !== "cut" || wereCut.has(to)) return false;
    wereCut.add(to);
    for (const connection of server.connections) if (connection.id === id) connection.close();
    return true;
  };
  const server = new SMTPServer({
    disableReverseLookup: true,
    authOptional: true,
    allowInsecureAuth: true,
    cert,
    key,
    ...options,
    onConnect(session, done) {
      tell({ what: "connected", ...base(session) });
      done(name === "closed" ? refusal({ code: 554, text: "5.3.2 Not today" }) : null);
    },
    onAuth({ username, password }, session, done) {
      tell({ what: "login", ...base(session) });
      if (username === "mesh" && password === "p@ss") done(null, { user: username });
      else done(refusal({ code: 535, text: "5.7.8 Who are you" }));
    },
    onMailFrom(_address, session, done) {
      tell({ what: "sender", ...base(session) });
      done();
    },
    onRcptTo({ address }, session, done) {
      tell({ what: "recipient", ...base(session), to: address });
      done(refusal(atRecipient[mailboxOf(address)]));
    },
    async onData(stream, session, done) {
      const to = session.envelope.rcptTo[0]?.address ?? "";
      if (isCut(to, session)) return;
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      const content = Buffer.concat(chunks).toString();
      const reply = await atContent[mailboxOf(to)]?.(content);
      const messageId = /^Message-ID: (.*)\r$/im.exec(content)?.[1] ?? "";
      if (reply === undefined) tell({ what: "mail", ...base(session), to, messageId, user: session.user || "", time: performance.now() });
      done(refusal(reply));
    },
  });
  server.on("error", () => undefined);
  return new Promise((resolve) => {
    const listening = server.listen(0, "127.0.0.1", () => {
      const address = listening.address();
      resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
    });
  });
}

tell({
  what: "listening",
  ports: {
    plain: await open("plain", { disabledCommands: ["STARTTLS"], hideSTARTTLS: true }),
    startTls: await open("startTls", {}),
    implicit: await open("implicit", { secure: true }),
    closed: await open("closed", { hideSTARTTLS: true }),
  },
});
