import { prepare } from "@chargemesh/kit/prepared";
import { type ExpressionBuilder, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Availability, ConnectorRow, Database, Db, Registration, Relaxation, SecurityProfile } from "./schema.ts";

const columns = [
  "charger.id",
  "display_name",
  "registration",
  "availability",
  "protocol",
  "vendor",
  "model",
  "serial_number",
  "firmware_version",
  "boot_count",
  "boot_time",
  "epoch",
  "replica_id",
  "relaxations",
  "security_profile",
  "certificate_name",
  "password_set_time",
  "password_used_time",
  "password_revoked",
  "rotate_time",
  "rotation_command_id",
  "version",
  "create_time",
  "update_time",
] as const;

export const connectorColumns = [
  "charger_id",
  "evse_id",
  "connector_id",
  "status",
  "error_code",
  "info",
  "vendor_id",
  "vendor_error_code",
  "status_time",
] as const;

const lastSeenTime = (eb: ExpressionBuilder<Database, "charger">) =>
  eb.selectFrom("charger_liveness").select("last_seen_time").whereRef("charger_id", "=", "charger.id").as("last_seen_time");

const hasPassword = (eb: ExpressionBuilder<Database, "charger">) => eb("password_hash", "is not", null).as("has_password");

/** What came of the newest rotation of its password, and whether one is under way. Few have had one, and the others need not be looked up. */
const rotation = (eb: ExpressionBuilder<Database, "charger">) => {
  const state = eb.selectFrom("command").select("state").whereRef("command.id", "=", "charger.rotation_command_id");
  const isRotating = eb.exists(eb.selectFrom("password_rotation").select("id").whereRef("charger_id", "=", "charger.id"));
  return [
    eb.case().when("rotation_command_id", "is not", null).then(state).end().as("rotation_state"),
    eb("rotation_command_id", "is not", null).and(isRotating).as("is_rotating"),
  ];
};

function selectChargers(db: Db) {
  return db.selectFrom("charger").select(columns).select(hasPassword).select(lastSeenTime).select(rotation);
}

const byId = prepare((db: Db, { id }: { id: string }) => selectChargers(db).where("charger.id", "=", id));

/** Undefined if there is none. */
export async function chargerById(db: Db, id: string) {
  return (await byId(db, { id })).rows[0];
}

export type ChargerRow = NonNullable<Awaited<ReturnType<typeof chargerById>>>;

/** A charger with its connectors, in order; the charger as a whole is EVSE 0. */
export interface ChargerView {
  charger: ChargerRow;
  connectors: ConnectorRow[];
}

/** The same as JSON, since one statement costs less than two. */
const ownConnectors = (eb: ExpressionBuilder<Database, "charger">) =>
  jsonArrayFrom(
    eb
      .selectFrom("connector")
      .select(connectorColumns)
      .whereRef("connector.charger_id", "=", "charger.id")
      .orderBy("evse_id")
      .orderBy("connector_id"),
  ).as("connectors");

const viewById = prepare((db: Db, { id }: { id: string }) => selectChargers(db).select(ownConnectors).where("charger.id", "=", id));

/** Undefined if there is none. */
export async function chargerView(db: Db, id: string): Promise<ChargerView | undefined> {
  const row = (await viewById(db, { id })).rows[0];
  return row && toView(row);
}

const pageOf = (connected: boolean | undefined) =>
  prepare((db: Db, { afterId, limit }: { afterId: string; limit: number }) => {
    const query = selectChargers(db).select(ownConnectors).where("charger.id", ">", afterId).orderBy("charger.id").limit(limit);
    return connected === undefined ? query : query.where("replica_id", connected ? "is not" : "is", null);
  });
const pages = { all: pageOf(undefined), connected: pageOf(true), disconnected: pageOf(false) };

/** Chargers by id, from the one after `afterId`; those that are connected, those that are not, or all. */
export async function chargerViewsAfter(
  db: Db,
  afterId: string | undefined,
  limit: number,
  connected: boolean | undefined,
): Promise<ChargerView[]> {
  const page = connected === undefined ? pages.all : connected ? pages.connected : pages.disconnected;
  // No identity is empty, so all come after that.
  return (await page(db, { afterId: afterId ?? "", limit })).rows.map(toView);
}

function toView({ connectors, ...charger }: Awaited<ReturnType<typeof viewById>>["rows"][number]): ChargerView {
  return { charger, connectors: connectors.map((connector) => ({ ...connector, status_time: new Date(connector.status_time) })) };
}

/** False if there is one with this id. */
export async function insertCharger(
  db: Db,
  charger: {
    id: string;
    displayName: string;
    passwordHash: Buffer | null;
    registration: Registration;
    availability: Availability;
    relaxations: Relaxation[];
    securityProfile: SecurityProfile;
    certificateName: string;
  },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto("charger")
    .values({
      id: charger.id,
      display_name: charger.displayName,
      password_hash: charger.passwordHash,
      password_set_time: charger.passwordHash === null ? null : sql<Date>`now()`,
      relaxations: charger.relaxations,
      security_profile: charger.securityProfile,
      certificate_name: charger.certificateName,
      registration: charger.registration,
      availability: charger.availability,
      // One that was here before goes on where it was: its connections are told apart by their epochs for good.
      epoch: sql<number>`coalesce((select max(epoch) from connection where charger_id = ${charger.id}), 0)`,
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

/** What an operator may change of a charger. */
export interface ChargerChange {
  display_name?: string;
  /** Null takes it away. */
  password_hash?: Buffer | null;
  registration?: Registration;
  availability?: Availability;
  relaxations?: Relaxation[];
  security_profile?: SecurityProfile;
  certificate_name?: string;
}

/** What a password that was set or taken away by hand makes of the one before. */
const passwordChanged = (hash: Buffer | null) => ({
  password_set_time: hash === null ? null : sql<Date>`now()`,
  password_revoked: false,
  rotate_time: null,
  rotation_command_id: null,
});

/** False if there is none, or if `version` is given and stale: someone else wrote first. */
export async function updateCharger(db: Db, id: string, version: number | undefined, change: ChargerChange): Promise<boolean> {
  const beside = change.password_hash === undefined ? {} : passwordChanged(change.password_hash);
  let query = db
    .updateTable("charger")
    .set((eb) => ({ ...change, ...beside, version: eb("version", "+", 1), update_time: sql<Date>`now()` }))
    .where("id", "=", id);
  if (version !== undefined) query = query.where("version", "=", version);
  return (await query.executeTakeFirst()).numUpdatedRows > 0n;
}

/** False if there was none. */
export async function deleteCharger(db: Db, id: string): Promise<boolean> {
  return (await db.deleteFrom("charger").where("id", "=", id).executeTakeFirst()).numDeletedRows > 0n;
}

/** What a boot says of a charger. */
export interface BootFacts {
  vendor: string;
  model: string;
  serialNumber: string;
  firmwareVersion: string;
}

/** Counts a boot, unless it comes late on a connection that was taken over, and keeps what it said. Undefined if the charger was deleted meanwhile. */
export function recordBoot(db: Db, id: string, epoch: number, facts: BootFacts, now: Date) {
  return db
    .updateTable("charger")
    .set((eb) => ({
      vendor: facts.vendor,
      model: facts.model,
      serial_number: facts.serialNumber,
      firmware_version: facts.firmwareVersion,
      boot_count: eb
        .case()
        .when("epoch", "=", epoch)
        .then(eb("boot_count", "+", 1))
        .else(eb.ref("boot_count"))
        .end(),
      boot_time: now,
    }))
    .where("id", "=", id)
    .returning(["registration", "availability"])
    .executeTakeFirst();
}

/** Writes when chargers were last seen, all in one statement. Those deleted meanwhile are left out. */
export async function recordLiveness(db: Db, seen: ReadonlyMap<string, Date>): Promise<void> {
  await sql`
    insert into charger_liveness (charger_id, last_seen_time)
    select charger.id, seen.time from unnest(${[...seen.keys()]}::text[], ${[...seen.values()]}::timestamptz[]) as seen (id, time)
      join charger on charger.id = seen.id
    order by charger.id
    on conflict (charger_id) do update set last_seen_time = excluded.last_seen_time`.execute(db);
}

const ofChargers = prepare((db: Db, { chargerIds }: { chargerIds: readonly string[] }) =>
  db
    .selectFrom("connector")
    .select(connectorColumns)
    .where(({ eb, fn, val }) => eb("charger_id", "=", fn.any(val(chargerIds))))
    .orderBy("charger_id")
    .orderBy("evse_id")
    .orderBy("connector_id"),
);

/** The connectors of these chargers, in order; the charger as a whole is EVSE 0. */
export async function connectorsOf(db: Db, chargerIds: readonly string[]): Promise<ConnectorRow[]> {
  return (await ofChargers(db, { chargerIds })).rows;
}
