import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Message, Message_State } from "@chargemesh/contracts/email/v1/message";
import {
  type CreateMessageRequest,
  type ListMessagesRequest,
  type ListMessagesResponse,
  MessageServiceClient,
  type RetryMessagesRequest,
} from "@chargemesh/contracts/email/v1/message_service";
import { BadRequest, ErrorInfo } from "@chargemesh/contracts/google/rpc/error_details";
import { Status } from "@chargemesh/contracts/google/rpc/status";
import { REQUEST_ID } from "@chargemesh/kit/grpc-client";
import type { Role } from "@chargemesh/kit/identity";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { type CallOptions, Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import PostalMime, { type Email } from "postal-mime";
import { vi } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../test/servers.ts";
import { readConfig } from "../src/config.ts";
import { start } from "../src/start.ts";
import { type SigningKeys, startSigningKeys } from "./signing-keys.ts";

const log = makeLogger("email-service", "silent");

/** A time that a test moves on. */
export function makeClock() {
  let ahead = 0;
  return {
    now: () => new Date(Date.now() + ahead),
    advance(ms: number): void {
      ahead += ms;
    },
  };
}

export type TestClock = ReturnType<typeof makeClock>;

/** What replicas of email-service share: a migrated database, signing keys, a folder for mail. */
export interface Surroundings {
  database: FreshDatabase;
  keys: SigningKeys;
  mailDir: string;
  /** The settings of a replica. */
  vars: Record<string, string>;
  remove(): Promise<void>;
}

export async function makeSurroundings(natsUrl: string): Promise<Surroundings> {
  const [database, keys, mailDir] = await Promise.all([freshDatabase(), startSigningKeys(), mkdtemp(join(tmpdir(), "chargemesh-mail-"))]);
  return {
    database,
    keys,
    mailDir,
    vars: {
      EMAIL_GRPC_ADDRESS: "127.0.0.1:0",
      EMAIL_DATABASE_URL: database.emailUrl,
      NATS_URL: natsUrl,
      MAIL_DIR: mailDir,
      MAIL_FROM: "Chargemesh <no-reply@chargemesh.example>",
      MESH_SECRET: "a secret of the test, of some length",
      AUTH_GRPC_TARGET: keys.target,
    },
    async remove() {
      keys.stop();
      await database.drop();
      await rm(mailDir, { recursive: true });
    },
  };
}

/** A failure as a client sees it. */
export class CallError extends Error {
  readonly code: string;
  readonly reason: string;
  readonly fields: string[];

  constructor(err: ServiceError) {
    super(err.details);
    const { details } = Status.decode(err.metadata.get("grpc-status-details-bin")[0] as Buffer);
    const find = (type: string) => details.find(({ typeUrl }) => typeUrl.endsWith(type))?.value ?? Buffer.alloc(0);
    this.code = status[err.code] ?? "";
    this.reason = ErrorInfo.decode(find(ErrorInfo.$type)).reason;
    this.fields = BadRequest.decode(find(BadRequest.$type)).fieldViolations.map(({ field }) => field);
  }
}

type Method<Req, Res> = (
  request: Req,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (err: ServiceError | null, response: Res) => void,
) => unknown;

/** By whom a test calls; nobody shows no token. */
export type Caller = Role | "NOBODY";

/** What follows every call of a test through the logs. */
export const REQUEST_ID_OF_TESTS = "request-of-a-test";

/** Starts a replica, and has its rpcs called by somebody with a role. */
export async function startReplica({ vars, keys }: Surroundings, clock: TestClock = makeClock(), more: Record<string, string> = {}) {
  const stack = new Stack();
  const { grpcAddress } = await start(readConfig({ ...vars, ...more }), stack, log, clock);
  const client = new MessageServiceClient(grpcAddress, credentials.createInsecure());
  const call = async <Req, Res>(method: Method<Req, Res>, request: Req, role: Caller): Promise<Res> => {
    const metadata = new Metadata();
    metadata.set(REQUEST_ID, REQUEST_ID_OF_TESTS);
    if (role !== "NOBODY") metadata.set("authorization", `Bearer ${await keys.token(role)}`);
    return new Promise((resolve, reject) => {
      method.call(client, request, metadata, { deadline: Date.now() + 10_000 }, (err, response) =>
        err ? reject(new CallError(err)) : resolve(response),
      );
    });
  };
  const list = (request: Partial<ListMessagesRequest> = {}, role: Caller = "OPERATOR"): Promise<ListMessagesResponse> =>
    call(
      client.listMessages,
      { pageSize: 0, pageToken: "", to: "", state: Message_State.STATE_UNSPECIFIED, bounced: false, template: "", userId: "", ...request },
      role,
    );
  const get = async (id: string, role: Caller = "OPERATOR"): Promise<Message> =>
    Message.fromPartial((await call(client.getMessage, { id }, role)).message ?? {});
  return {
    grpcAddress,
    list,
    get,
    async create(request: Partial<CreateMessageRequest> = {}, role: Caller = "OPERATOR"): Promise<Message> {
      const whole = { to: "alice@example.com", subject: "Hello", text: "How are you?", requestId: "", ...request };
      return Message.fromPartial((await call(client.createMessage, whole, role)).message ?? {});
    },
    async retry(id: string, role: Caller = "OPERATOR"): Promise<Message> {
      return Message.fromPartial((await call(client.retryMessage, { id }, role)).message ?? {});
    },
    async retryAll(request: Partial<RetryMessagesRequest> = {}, role: Caller = "OPERATOR"): Promise<number> {
      return (await call(client.retryMessages, { to: "", template: "", bounced: false, ...request }, role)).count;
    },
    /** Waits until the message has these fields. */
    reaches: (id: string, like: { [F in keyof Message]?: Message[F] | RegExp }): Promise<Message> =>
      until(async () => {
        const message = await get(id);
        const fits = Object.entries(like).every(([name, value]) => {
          const is = message[name as keyof Message];
          return value instanceof RegExp ? value.test(String(is)) : is === value;
        });
        return fits ? message : undefined;
      }),
    /** Waits for a message to this address that was sent. */
    sentTo: (to: string): Promise<Message> => until(async () => (await list({ to, state: Message_State.SENT })).messages[0]),
    /** What grpc.health.v1 says of the service as a whole and of what it depends on. */
    async health(dependencies = ["", "postgres", "nats", more.SMTP_URL === undefined ? "mail-dir" : "smtp"]) {
      return Object.fromEntries(await Promise.all(dependencies.map(async (service) => [service, await checkHealth(grpcAddress, service)])));
    },
    async stop(): Promise<void> {
      client.close();
      await stack.close(log);
    },
  };
}

export type Replica = Awaited<ReturnType<typeof startReplica>>;

async function checkHealth(address: string, service: string): Promise<string> {
  const { Check: check } = healthService;
  if (check === undefined) throw new Error("grpc-health-check has no Check");
  const client = new Client(address, credentials.createInsecure());
  return new Promise<string>((resolve, reject) => {
    client.makeUnaryRequest(check.path, check.requestSerialize, check.responseDeserialize, { service }, (err, response) => {
      if (err === null) resolve(String((response as { status: unknown }).status));
      else reject(err);
    });
  }).finally(() => client.close());
}

/** Looks again and again until there is something. */
export function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  return vi.waitFor(
    async () => {
      const found = await look();
      if (found === undefined) throw new Error("still waiting");
      return found;
    },
    { timeout: 15_000, interval: 10 },
  );
}

/** The mails in a folder, in the order of their names, read by a parser that nobody here wrote. */
export async function mailsIn(dir: string): Promise<(Email & { name: string; raw: string })[]> {
  const names = (await readdir(dir)).sort();
  return Promise.all(
    names.map(async (name) => {
      const raw = await readFile(join(dir, name), "latin1");
      return { ...(await PostalMime.parse(Buffer.from(raw, "latin1"))), name, raw };
    }),
  );
}
