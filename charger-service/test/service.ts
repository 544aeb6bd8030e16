import { ChargerServiceClient } from "@chargemesh/contracts/charger/v1/charger_service";
import { ChargingProfileServiceClient } from "@chargemesh/contracts/charger/v1/charging_profile_service";
import { CommandServiceClient } from "@chargemesh/contracts/charger/v1/command_service";
import { CompositeScheduleServiceClient } from "@chargemesh/contracts/charger/v1/composite_schedule_service";
import { ConnectionServiceClient } from "@chargemesh/contracts/charger/v1/connection_service";
import { EventServiceClient } from "@chargemesh/contracts/charger/v1/event_service";
import { IdTokenServiceClient } from "@chargemesh/contracts/charger/v1/id_token_service";
import { ReservationServiceClient } from "@chargemesh/contracts/charger/v1/reservation_service";
import { TransactionServiceClient } from "@chargemesh/contracts/charger/v1/transaction_service";
import { WebhookDeliveryServiceClient } from "@chargemesh/contracts/charger/v1/webhook_delivery_service";
import { WebhookServiceClient } from "@chargemesh/contracts/charger/v1/webhook_service";
import { BadRequest, ErrorInfo } from "@chargemesh/contracts/google/rpc/error_details";
import { Status } from "@chargemesh/contracts/google/rpc/status";
import type { Clock } from "@chargemesh/kit/clock";
import { makeMeshIdentity } from "@chargemesh/kit/identity";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { type Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { type FreshNats, freshDatabase, freshNats } from "../../test/servers.ts";
import { readConfig } from "../src/config.ts";
import { start } from "../src/start.ts";
import { type Issuer, serveKeys } from "./issuer.ts";

const log = makeLogger("charger-service", "silent");
const MESH_SECRET = "a secret of the services of this test";

/** What a service that tests start needs: a database of its own, migrated, NATS, and who issues access tokens. */
export interface Place extends Pick<Issuer, "as"> {
  vars: Record<string, string>;
  /** As whom a test may look into the tables. */
  ownerUrl: string;
  nats: FreshNats;
  leave(): Promise<void>;
}

export async function freshPlace(): Promise<Place> {
  const [database, nats, issuer] = await Promise.all([freshDatabase(), freshNats(), serveKeys()]);
  const vars = {
    CHARGER_GRPC_ADDRESS: "127.0.0.1:0",
    CHARGER_OCPP_ADDRESS: "127.0.0.1:0",
    // A test that wants chargers to be asked by themselves says so.
    OCPP_CONFIGURATION_SECONDS: "0",
    CHARGER_DATABASE_URL: database.chargerUrl,
    NATS_URL: nats.url,
    MESH_SECRET,
    AUTH_GRPC_TARGET: issuer.target,
  };
  const leave = async (): Promise<void> => {
    await Promise.all([issuer.stop(), nats.stop(), database.drop()]);
  };
  return { vars, ownerUrl: database.ownerUrl, nats, as: issuer.as, leave };
}

/** A running service and its clients. */
export interface Service {
  chargers: ChargerServiceClient;
  chargingProfiles: ChargingProfileServiceClient;
  commands: CommandServiceClient;
  compositeSchedules: CompositeScheduleServiceClient;
  connections: ConnectionServiceClient;
  events: EventServiceClient;
  idTokens: IdTokenServiceClient;
  reservations: ReservationServiceClient;
  transactions: TransactionServiceClient;
  webhooks: WebhookServiceClient;
  webhookDeliveries: WebhookDeliveryServiceClient;
  grpcAddress: string;
  ocppAddress: string;
  /** Undefined unless the settings have certificates. */
  ocppTlsAddress: string | undefined;
  stop(): Promise<void>;
}

export async function startService(place: Place, vars: Record<string, string> = {}, clock?: Clock): Promise<Service> {
  const stack = new Stack();
  try {
    const addresses = await start(readConfig({ ...place.vars, ...vars }), stack, log, clock);
    const open = <C extends Client>(Constructor: new (address: string, creds: ReturnType<typeof credentials.createInsecure>) => C): C => {
      const client = new Constructor(addresses.grpcAddress, credentials.createInsecure());
      stack.defer("client", () => client.close());
      return client;
    };
    return {
      ...addresses,
      chargers: open(ChargerServiceClient),
      chargingProfiles: open(ChargingProfileServiceClient),
      commands: open(CommandServiceClient),
      compositeSchedules: open(CompositeScheduleServiceClient),
      connections: open(ConnectionServiceClient),
      events: open(EventServiceClient),
      idTokens: open(IdTokenServiceClient),
      reservations: open(ReservationServiceClient),
      transactions: open(TransactionServiceClient),
      webhooks: open(WebhookServiceClient),
      webhookDeliveries: open(WebhookDeliveryServiceClient),
      stop: () => stack.close(log),
    };
  } catch (err) {
    await stack.close(log);
    throw err;
  }
}

/** What a service shows of itself to another. */
export function asService(name: string): Promise<Metadata> {
  return makeMeshIdentity(name, MESH_SECRET)();
}

type Unary<Req, Res> = (
  request: Req,
  metadata: Metadata,
  options: { deadline: number },
  callback: (err: ServiceError | null, response: Res) => void,
) => unknown;

const DEADLINE_MS = 20_000;

/** Calls an rpc as whom `metadata` shows, or as nobody. */
export function call<Req, Res>(
  client: Client,
  method: Unary<Req, Res>,
  request: Req,
  metadata = new Metadata(),
  deadlineMs = DEADLINE_MS,
): Promise<Res> {
  return new Promise((resolve, reject) => {
    method.call(client, request, metadata, { deadline: Date.now() + deadlineMs }, (err, response) =>
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
  return refusalOf(err);
}

/** What a failure says: code, reason and the fields at fault. */
export function refusalOf(err: ServiceError): { code: string; reason: string; fields: string[] } {
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

/** What must be in an answer. */
export function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the answer lacks what it should have");
  return value;
}
