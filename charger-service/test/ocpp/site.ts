import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import type { Command } from "@chargemesh/contracts/charger/v1/command";
import { CreateCommandRequest } from "@chargemesh/contracts/charger/v1/command_service";
import type { Connection } from "@chargemesh/contracts/charger/v1/connection";
import { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import type { Transaction } from "@chargemesh/contracts/charger/v1/transaction";
import { ListTransactionsRequest } from "@chargemesh/contracts/charger/v1/transaction_service";
import { connect, type NatsConnection } from "nats";
import { Pool } from "pg";
import { eventually } from "../../../test/rest.ts";
import { call, freshPlace, given, type Place, type Service, startService } from "../service.ts";
import { connectStation, type Payload, type Station, type StationOptions } from "./station.ts";

const STREAM = "chargemesh_charger_v1";

/** An event as a consumer sees it. */
export interface Told {
  id: string;
  /** The last word of its type. */
  type: string;
  subject: string;
  data: Payload;
}

/** A database, NATS and one replica of the service, and what a test asks of them. */
export interface Site {
  place: Place;
  service: Service;
  /** Rows, by SQL. */
  rows(sql: string, values?: unknown[]): Promise<Payload[]>;
  /** Runs this in a database transaction that stays open until it is released. */
  hold(sql: string): Promise<{ release(): Promise<void> }>;
  /** Resolves when so many sessions of the service wait for a lock. */
  blocked(count: number): Promise<void>;
  register(id: string, fields?: Partial<Charger>): Promise<string>;
  addIdToken(idToken: string, fields?: Partial<IdToken>): Promise<void>;
  /** Connects as a charger, with its password if it was registered here. */
  connect(id: string, options?: StationOptions, to?: { ocppAddress: string }, path?: string): Promise<Station>;
  /** Registers a charger, connects and boots it. */
  join(id: string, options?: StationOptions): Promise<Station>;
  /** Forgets a charger over gRPC. */
  remove(id: string): Promise<void>;
  transactions(chargerId: string): Promise<Transaction[]>;
  transaction(id: number): Promise<Transaction>;
  charger(id: string): Promise<Charger>;
  /** Resolves when nobody holds this charger any more. */
  gone(id: string): Promise<void>;
  connections(chargerId: string): Promise<Connection[]>;
  /** How often a charger was refused for this reason: those of one minute are one entry, and a minute may end at any time. */
  refusals(chargerId: string, reason: string): Promise<number>;
  command(fields: Partial<CreateCommandRequest>, of?: Service): Promise<Command>;
  commandById(chargerId: string, id: string): Promise<Command>;
  /** Every event up to now, after the outbox is empty. */
  told(): Promise<Told[]>;
  leave(): Promise<void>;
}

type Settings = Record<string, string>;

/** Opens one. `settings` are those of the service; they may depend on where it is. */
export async function openSite(settings: Settings | ((place: Place) => Promise<Settings>) = {}): Promise<Site> {
  const place = await freshPlace();
  const service = await startService(place, typeof settings === "function" ? await settings(place) : settings);
  const pool = new Pool({ connectionString: place.ownerUrl, max: 2, options: "-c search_path=ocpp" });
  pool.on("error", () => undefined);
  const passwords = new Map<string, string>();
  const operator = place.as("OPERATOR", undefined, 3_600);
  const { chargers, commands, connections, idTokens, transactions } = service;
  let telling: Promise<Told[]> = Promise.resolve([]);
  const held = new Set<() => Promise<void>>();
  const rows: Site["rows"] = async (sql, values) => (await pool.query(sql, values)).rows;
  const site: Site = {
    place,
    service,
    rows,
    async hold(sql) {
      const client = await pool.connect();
      await client.query("begin");
      await client.query(sql);
      const release = async (): Promise<void> => {
        if (!held.delete(release)) return;
        await client.query("commit");
        client.release();
      };
      held.add(release);
      return { release };
    },
    async blocked(count) {
      const waiting = "select from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()";
      await eventually(async () => (await rows(waiting)).length >= count);
    },
    async register(id, fields = {}) {
      const { charger } = await call(chargers, chargers.createCharger, { charger: Charger.fromPartial({ id, ...fields }) }, operator);
      const { password = "" } = given(charger);
      passwords.set(id, password);
      return password;
    },
    async addIdToken(idToken, fields = {}) {
      await call(idTokens, idTokens.createIdToken, { idToken: IdToken.fromPartial({ idToken, ...fields }) }, operator);
    },
    connect(id, options = {}, to = service, path) {
      const password = passwords.get(id);
      return connectStation(to.ocppAddress, id, { ...(password === undefined ? {} : { password }), ...options }, path);
    },
    async join(id, options = {}) {
      await site.register(id);
      const station = await site.connect(id, options);
      await station.boot();
      return station;
    },
    async remove(id) {
      await call(chargers, chargers.deleteCharger, { id }, operator);
    },
    async transactions(chargerId) {
      const request = ListTransactionsRequest.fromPartial({ chargerId, pageSize: 200 });
      return (await call(transactions, transactions.listTransactions, request, operator)).transactions;
    },
    async transaction(id) {
      return given((await call(transactions, transactions.getTransaction, { id: String(id) }, operator)).transaction);
    },
    async charger(id) {
      return given((await call(chargers, chargers.getCharger, { id }, operator)).charger);
    },
    async gone(id) {
      await eventually(async () => !(await site.charger(id)).connected);
    },
    async connections(chargerId) {
      const request = { chargerId, state: "STATE_UNSPECIFIED", pageSize: 0, pageToken: "" } as const;
      return (await call(connections, connections.listConnections, request, operator)).connections;
    },
    async refusals(chargerId, reason) {
      const refused = (await site.connections(chargerId)).filter((one) => one.state === "REFUSED" && one.reason === reason);
      return refused.reduce((sum, { count }) => sum + count, 0);
    },
    async command(fields, of = service) {
      const request = CreateCommandRequest.fromPartial(fields);
      return given((await call(of.commands, of.commands.createCommand, request, operator)).command);
    },
    async commandById(chargerId, id) {
      return given((await call(commands, commands.getCommand, { chargerId, id }, operator)).command);
    },
    told() {
      // Tests may run at once, and each wants all of it.
      telling = telling.then(async (before) => {
        await eventually(async () => (await rows("select from outbox limit 1")).length === 0);
        return [...before, ...(await eventsAfter(place, before.length))];
      });
      return telling;
    },
    async leave() {
      // A test that failed may have left some.
      for (const release of held) await release();
      await service.stop();
      await pool.end();
      await place.leave();
    },
  };
  return site;
}

/** What the stream holds after the first `count`, in order. */
async function eventsAfter(place: Place, count: number): Promise<Told[]> {
  const nats = await openNats(place);
  try {
    const manager = await nats.jetstreamManager();
    const { last_seq: last } = (await manager.streams.info(STREAM)).state;
    const sequences = Array.from({ length: last - count }, (_, i) => count + i + 1);
    return await Promise.all(
      sequences.map(async (seq) => {
        const { id, type, subject, data } = (await manager.streams.getMessage(STREAM, { seq })).json<Told>();
        return { id, type: type.split(".").at(-1) ?? "", subject, data };
      }),
    );
  } finally {
    await nats.close();
  }
}

/** A connection of the test's own. */
export function openNats(place: Place): Promise<NatsConnection> {
  const { host, username, password } = new URL(place.nats.url);
  return connect({ servers: host, user: username, pass: password, waitOnFirstConnect: true });
}
