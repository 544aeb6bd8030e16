import type { Charger } from "@chargemesh/contracts/charger/v1/charger";
import type { UpdateChargerRequest, UpdateChargerResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import { badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { type ChargerChange, chargerById, connectorsOf } from "../db/charger.ts";
import type { Availability, TransactionRow } from "../db/schema.ts";
import { changeCharger } from "../domain/charger.ts";
import type { Asking, Commander } from "../domain/command.ts";
import { hashPassword } from "../domain/password.ts";
import { toCharger } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { mustBeWithoutPassword, mustSay, readEtag, readPassword, readSecurityProfile, readSet, readUpdateMask, userOf } from "./request.ts";

const fields = ["display_name", "registration", "availability", "password", "relaxations", "security_profile", "certificate_name"] as const;

/** How long an offline charger has to come back and hear of its availability, in s: 30 days. */
const AVAILABILITY_TTL_SECONDS = 30 * 24 * 3_600;

/** Changes a charger. A new availability is sent to it, or waits for it; the answer does not. */
export const updateCharger =
  ({ db, commander }: RpcDeps) =>
  async ({ charger, updateMask }: UpdateChargerRequest, { caller }: Call): Promise<UpdateChargerResponse> => {
    if (charger === undefined) throw badRequest([{ field: "charger", description: "is required" }]);
    const change = changeOf(charger, readUpdateMask(updateMask, fields));
    const before = change.registration === "ACCEPTED" ? await chargerById(db, charger.id) : undefined;
    const { charger: row, active } = await changeCharger(db, charger.id, readEtag(charger.etag), change);
    // It need not wait until it is to ask again (OCPP 1.6 §4.2); one that is rejected is left alone until then.
    if (before?.registration === "PENDING" && row.replica_id !== null) {
      const asking = { chargerId: row.id, waitSeconds: 0, ttlSeconds: 0, idempotencyKey: "", userId: userOf(caller) };
      await commander.ask({ ...asking, question: { kind: "announceYourself" }, field: "charger.registration" });
    }
    if (change.availability !== undefined) {
      const asking = {
        chargerId: row.id,
        waitSeconds: 0,
        ttlSeconds: AVAILABILITY_TTL_SECONDS,
        idempotencyKey: "",
        userId: userOf(caller),
      };
      await tellCharger(commander, asking, change.availability, active);
    }
    return { charger: toCharger(row, await connectorsOf(db, [row.id])) };
  };

function changeOf(charger: Charger, mask: ReadonlySet<(typeof fields)[number]>): ChargerChange {
  const change: ChargerChange = {};
  if (mask.has("display_name")) change.display_name = charger.displayName;
  if (mask.has("registration")) change.registration = mustSay("charger.registration", charger.registration);
  if (mask.has("availability")) change.availability = mustSay("charger.availability", charger.availability);
  if (mask.has("password")) {
    if (!charger.password) throw badRequest([{ field: "charger.password", description: "is required" }]);
    change.password_hash = hashPassword(readPassword("charger.password", charger.password));
  }
  if (mask.has("security_profile")) {
    change.security_profile = readSecurityProfile("charger.security_profile", charger.securityProfile);
    if (change.security_profile === 0) {
      mustBeWithoutPassword(charger);
      change.password_hash = null;
    }
  }
  if (mask.has("certificate_name")) change.certificate_name = charger.certificateName;
  if (mask.has("relaxations")) change.relaxations = readSet("charger.relaxations", charger.relaxations);
  return change;
}

/** Stops first: a charger that charges would only note the change and go on (OCPP 1.6 §5.2, "Scheduled"). */
async function tellCharger(
  commander: Commander,
  asking: Asking,
  availability: Availability,
  active: readonly TransactionRow[],
): Promise<void> {
  const available = availability === "AVAILABLE";
  if (!available) {
    for (const { id } of active)
      await commander.ask({ ...asking, question: { kind: "remoteStop", transactionId: id }, field: "charger.id" });
  }
  await commander.ask({ ...asking, question: { kind: "changeAvailability", available }, field: "charger.availability" });
}
