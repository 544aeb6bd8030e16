import { AccountServiceClient } from "@chargemesh/contracts/auth/v1/account_service";
import { SigningKeyServiceClient } from "@chargemesh/contracts/auth/v1/signing_key_service";
import { UserServiceClient } from "@chargemesh/contracts/auth/v1/user_service";
import { BadRequest, ErrorInfo } from "@chargemesh/contracts/google/rpc/error_details";
import { Status } from "@chargemesh/contracts/google/rpc/status";
import type { Clock } from "@chargemesh/kit/clock";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { type FreshNats, freshDatabase, freshNats } from "../../test/servers.ts";
import { readConfig } from "../src/config.ts";
import { start } from "../src/start.ts";

const log = makeLogger("auth-service", "silent");
export const ADMIN = { username: "admin", password: "the first administrator" };

/** The settings of a service that tests start: its own database, migrated, and NATS. */
export interface Place {
  vars: Record<string, string>;
  /** As whom a test may look into the tables. */
  ownerUrl: string;
  nats: FreshNats;
  leave(): Promise<void>;
}

export async function freshPlace(): Promise<Place> {
  const [database, nats] = await Promise.all([freshDatabase(), freshNats()]);
  const vars = {
    AUTH_GRPC_ADDRESS: "127.0.0.1:0",
    AUTH_DATABASE_URL: database.authUrl,
    NATS_URL: nats.url,
    MESH_SECRET: "a secret of the services of this test",
    AUTH_KEY_SECRET: "a secret for the signing keys of this test",
    ADMIN_USERNAME: ADMIN.username,
    ADMIN_PASSWORD: ADMIN.password,
    // What a password costs is not what is tested, but for the tests of just that.
    AUTH_ARGON2_MEMORY_KIB: "1024",
    AUTH_ARGON2_ITERATIONS: "1",
  };
  const leave = async (): Promise<void> => {
    await Promise.all([nats.stop(), database.drop()]);
  };
  return { vars, ownerUrl: database.ownerUrl, nats, leave };
}

/** A running service and its clients. */
export interface Service {
  address: string;
  users: UserServiceClient;
  accounts: AccountServiceClient;
  signingKeys: SigningKeyServiceClient;
  stop(): Promise<void>;
}

export async function startService(place: Place, vars: Record<string, string> = {}, clock?: Clock): Promise<Service> {
  const stack = new Stack();
  try {
    const { grpcAddress } = await start(readConfig({ ...place.vars, ...vars }), stack, log, clock);
    return { ...openClients(grpcAddress, stack), address: grpcAddress, stop: () => stack.close(log) };
  } catch (err) {
    await stack.close(log);
    throw err;
  }
}

/** Starts a service that may not come up yet; its clients call `address`. */
export function beginService(place: Place, vars: Record<string, string>, address: string): Service & { started: Promise<unknown> } {
  const stack = new Stack();
  const started = start(readConfig({ ...place.vars, ...vars, AUTH_GRPC_ADDRESS: address }), stack, log);
  return { ...openClients(address, stack), address, started, stop: () => stack.close(log) };
}

/** Resolves when somebody listens. */
export function reached({ users }: Service): Promise<void> {
  return new Promise((resolve, reject) => {
    users.waitForReady(Date.now() + 20_000, (err) => (err === undefined ? resolve() : reject(err)));
  });
}

function openClients(address: string, stack: Stack): Pick<Service, "users" | "accounts" | "signingKeys"> {
  const users = new UserServiceClient(address, credentials.createInsecure(), { "grpc.max_reconnect_backoff_ms": 200 });
  const accounts = new AccountServiceClient(address, credentials.createInsecure());
  const signingKeys = new SigningKeyServiceClient(address, credentials.createInsecure());
  stack.defer("clients", () => {
    users.close();
    accounts.close();
    signingKeys.close();
  });
  return { users, accounts, signingKeys };
}

type Unary<Req, Res> = (
  request: Req,
  metadata: Metadata,
  options: { deadline: number },
  callback: (err: ServiceError | null, response: Res) => void,
) => unknown;

/** Calls an rpc, with an access token if one is given. */
export function call<Req, Res>(client: object, method: Unary<Req, Res>, request: Req, accessToken?: string): Promise<Res> {
  const metadata = new Metadata();
  if (accessToken !== undefined) metadata.set("authorization", `Bearer ${accessToken}`);
  return new Promise((resolve, reject) => {
    method.call(client, request, metadata, { deadline: Date.now() + 20_000 }, (err, response) =>
      err === null ? resolve(response) : reject(err),
    );
  });
}

/** How a call was refused: code, reason and the fields at fault. Throws if it was served. */
export async function refusal(calling: Promise<unknown>): Promise<{ code: string; reason: string; fields: string[] }> {
  const err = await calling.then(
    () => {
      throw new Error("was served and should have been refused");
    },
    (refused: ServiceError) => refused,
  );
  const bytes = err.metadata?.get("grpc-status-details-bin")[0];
  if (!Buffer.isBuffer(bytes)) throw err;
  const { details } = Status.decode(bytes);
  const detail = (name: string): Uint8Array => details.find(({ typeUrl }) => typeUrl.endsWith(name))?.value ?? new Uint8Array();
  return {
    code: status[err.code],
    reason: ErrorInfo.decode(detail(ErrorInfo.$type)).reason,
    fields: BadRequest.decode(detail(BadRequest.$type)).fieldViolations.map(({ field }) => field),
  };
}

/** A user who has just signed in. Throws if the answer has none. */
export function signedIn<U>({ user }: { user: U | undefined }): U {
  if (user === undefined) throw new Error("the answer has no user");
  return user;
}

export async function signUp({ users }: Service, username: string, password = "correct horse battery staple") {
  return signedIn(await call(users, users.signUp, { username, password, email: "", language: "" }));
}

export async function logIn({ users }: Service, { username, password }: { username: string; password: string }) {
  return signedIn(await call(users, users.logIn, { username, password }));
}
