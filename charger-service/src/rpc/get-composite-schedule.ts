import type {
  GetCompositeScheduleRequest,
  GetCompositeScheduleResponse,
} from "@chargemesh/contracts/charger/v1/composite_schedule_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { installedAssignments } from "../db/assignment.ts";
import { chargerById } from "../db/charger.ts";
import { reportedSchedule } from "../db/charging-profile.ts";
import type { ScheduleReport } from "../db/charging-profile-tables.ts";
import type { Db } from "../db/schema.ts";
import { activeTransactions } from "../db/transaction.ts";
import type { Commander } from "../domain/command.ts";
import { noCharger } from "../domain/command.ts";
import { composeSchedule, type Span } from "../domain/composite-schedule.ts";
import { compareSchedules } from "../domain/schedule-comparison.ts";
import { toReportedSchedule } from "../resources/charging-profile.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, said, userOf } from "./request.ts";

const DAY_SECONDS = 86_400;
/** Between a phase and neutral, in most of the world, in V. */
const VOLTAGE = 230;

/** Reckons what the charging profiles at a place come to, and compares that with what the charger says. */
export const getCompositeSchedule =
  ({ db, commander, clock }: RpcDeps) =>
  async (request: GetCompositeScheduleRequest, { caller, deadline }: Call): Promise<GetCompositeScheduleResponse> => {
    const { chargerId, connectorId } = request;
    const charger = await chargerById(db, chargerId);
    if (charger === undefined) throw noCharger(chargerId);
    const rateUnit = said(request.unit) ?? "W";
    const durationSeconds = request.durationSeconds || DAY_SECONDS;
    const asked =
      request.withoutCharger || charger.replica_id === null || charger.registration !== "ACCEPTED"
        ? { commandId: "", report: undefined }
        : await ask(db, commander, {
            question: { kind: "getCompositeSchedule", connectorId, durationSeconds, rateUnit },
            asking: { chargerId, waitSeconds: readWaitSeconds(request.waitSeconds, deadline), userId: userOf(caller) },
          });
    // From when the charger has just reckoned, and not before: it may have learnt something meanwhile.
    const startTime = new Date(Math.floor(clock.now().getTime() / 1000) * 1000);
    const span = await spanOf(db, chargerId, connectorId, { startTime, durationSeconds, rateUnit, voltage: request.voltage || VOLTAGE });
    const installed = await installedAssignments(db, chargerId, connectorId);
    const profiles = installed.map(({ connector_id, content }) => ({ connectorId: connector_id, content }));
    const periods = composeSchedule(profiles, connectorId, span);
    return {
      compositeSchedule: {
        chargerId,
        connectorId,
        startTime,
        durationSeconds,
        rateUnit,
        periods,
        reported: asked.report && toReportedSchedule(asked.report),
        differences: asked.report === undefined ? [] : compareSchedules(periods, asked.report, span),
        commandId: asked.commandId,
      },
    };
  };

async function spanOf(db: Db, chargerId: string, connectorId: number, span: Omit<Span, "transactionStart">): Promise<Span> {
  const transaction = (await activeTransactions(db, chargerId)).findLast((one) => one.connector_id === connectorId);
  return { ...span, transactionStart: transaction?.start_time ?? undefined };
}

interface Asked {
  question: { kind: "getCompositeSchedule"; connectorId: number; durationSeconds: number; rateUnit: "W" | "A" };
  asking: { chargerId: string; waitSeconds: number; userId: string | undefined };
}

/** Asks the charger for its own, and answers what it has said within the wait. */
async function ask(
  db: Db,
  commander: Commander,
  { question, asking }: Asked,
): Promise<{ commandId: string; report: ScheduleReport | undefined }> {
  const command = await commander.ask({ ...asking, ttlSeconds: 0, idempotencyKey: "", question, field: "connector_id" });
  const report = await reportedSchedule(db, asking.chargerId, question.connectorId, command.id);
  return { commandId: command.id, report };
}
