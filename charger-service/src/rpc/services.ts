import { ChargerServiceService } from "@chargemesh/contracts/charger/v1/charger_service";
import { ChargingProfileServiceService } from "@chargemesh/contracts/charger/v1/charging_profile_service";
import { CommandServiceService } from "@chargemesh/contracts/charger/v1/command_service";
import { CompositeScheduleServiceService } from "@chargemesh/contracts/charger/v1/composite_schedule_service";
import { ConnectionServiceService } from "@chargemesh/contracts/charger/v1/connection_service";
import { IdTokenServiceService } from "@chargemesh/contracts/charger/v1/id_token_service";
import { ReservationServiceService } from "@chargemesh/contracts/charger/v1/reservation_service";
import { TransactionServiceService } from "@chargemesh/contracts/charger/v1/transaction_service";
import { type Registration, serve } from "@chargemesh/kit/grpc-server";
import { assignChargingProfile } from "./assign-charging-profile.ts";
import { cancelChargerPasswordRotation } from "./cancel-charger-password-rotation.ts";
import { cancelReservation } from "./cancel-reservation.ts";
import { certificateRegistrations } from "./certificate-services.ts";
import { checkConnection } from "./check-connection.ts";
import { clearChargingProfiles } from "./clear-charging-profiles.ts";
import { configurationRegistrations } from "./configuration-services.ts";
import { createCharger } from "./create-charger.ts";
import { createChargingProfile } from "./create-charging-profile.ts";
import { createCommand } from "./create-command.ts";
import { createIdToken } from "./create-id-token.ts";
import { createReservation } from "./create-reservation.ts";
import { deleteCharger } from "./delete-charger.ts";
import { deleteChargingProfile } from "./delete-charging-profile.ts";
import { deleteIdToken } from "./delete-id-token.ts";
import type { RpcDeps } from "./deps.ts";
import { fileRegistrations } from "./file-services.ts";
import { getCharger } from "./get-charger.ts";
import { getChargingProfile } from "./get-charging-profile.ts";
import { getCommand } from "./get-command.ts";
import { getCompositeSchedule } from "./get-composite-schedule.ts";
import { getIdToken } from "./get-id-token.ts";
import { getReservation } from "./get-reservation.ts";
import { getTransaction } from "./get-transaction.ts";
import { listChargers } from "./list-chargers.ts";
import { listChargingProfileAssignments } from "./list-charging-profile-assignments.ts";
import { listChargingProfiles } from "./list-charging-profiles.ts";
import { listCommands } from "./list-commands.ts";
import { listConnections } from "./list-connections.ts";
import { listIdTokens } from "./list-id-tokens.ts";
import { listMeterValues } from "./list-meter-values.ts";
import { listReservations } from "./list-reservations.ts";
import { listTransactions } from "./list-transactions.ts";
import { messageRegistrations } from "./message-services.ts";
import { revokeChargerPassword } from "./revoke-charger-password.ts";
import { rotateChargerPassword } from "./rotate-charger-password.ts";
import { startTransaction } from "./start-transaction.ts";
import { stopTransaction } from "./stop-transaction.ts";
import { updateCharger } from "./update-charger.ts";
import { updateChargingProfile } from "./update-charging-profile.ts";
import { updateIdToken } from "./update-id-token.ts";
import { eventService, watchEvents } from "./watch-events.ts";
import { webhookRegistrations } from "./webhook-services.ts";

/** The .proto files of what is served here, for rules and reflection. events.proto is what Event.data may hold. */
export const protoFiles = [
  "chargemesh/charger/v1/certificate_request_service.proto",
  "chargemesh/charger/v1/certificate_service.proto",
  "chargemesh/charger/v1/charger_service.proto",
  "chargemesh/charger/v1/charging_profile_service.proto",
  "chargemesh/charger/v1/command_service.proto",
  "chargemesh/charger/v1/composite_schedule_service.proto",
  "chargemesh/charger/v1/configuration_service.proto",
  "chargemesh/charger/v1/connection_service.proto",
  "chargemesh/charger/v1/data_transfer_service.proto",
  "chargemesh/charger/v1/event_service.proto",
  "chargemesh/charger/v1/events.proto",
  "chargemesh/charger/v1/id_token_service.proto",
  "chargemesh/charger/v1/reservation_service.proto",
  "chargemesh/charger/v1/charger_message_service.proto",
  "chargemesh/charger/v1/relaxation_service.proto",
  "chargemesh/charger/v1/installed_certificate_service.proto",
  "chargemesh/charger/v1/security_event_service.proto",
  "chargemesh/charger/v1/firmware_image_service.proto",
  "chargemesh/charger/v1/firmware_update_service.proto",
  "chargemesh/charger/v1/local_list_service.proto",
  "chargemesh/charger/v1/transaction_service.proto",
  "chargemesh/charger/v1/upload_service.proto",
  "chargemesh/charger/v1/webhook_delivery_service.proto",
  "chargemesh/charger/v1/webhook_service.proto",
];

/** Every rpc of this service and what answers it. */
export function registrations(deps: RpcDeps): Registration[] {
  return [
    serve(ChargerServiceService, {
      createCharger: createCharger(deps),
      getCharger: getCharger(deps),
      listChargers: listChargers(deps),
      updateCharger: updateCharger(deps),
      deleteCharger: deleteCharger(deps),
      rotateChargerPassword: rotateChargerPassword(deps),
      cancelChargerPasswordRotation: cancelChargerPasswordRotation(deps),
      revokeChargerPassword: revokeChargerPassword(deps),
    }),
    serve(TransactionServiceService, {
      startTransaction: startTransaction(deps),
      stopTransaction: stopTransaction(deps),
      getTransaction: getTransaction(deps),
      listTransactions: listTransactions(deps),
      listMeterValues: listMeterValues(deps),
    }),
    serve(ReservationServiceService, {
      createReservation: createReservation(deps),
      getReservation: getReservation(deps),
      listReservations: listReservations(deps),
      cancelReservation: cancelReservation(deps),
    }),
    serve(ChargingProfileServiceService, {
      createChargingProfile: createChargingProfile(deps),
      getChargingProfile: getChargingProfile(deps),
      listChargingProfiles: listChargingProfiles(deps),
      updateChargingProfile: updateChargingProfile(deps),
      deleteChargingProfile: deleteChargingProfile(deps),
      assignChargingProfile: assignChargingProfile(deps),
      listChargingProfileAssignments: listChargingProfileAssignments(deps),
      clearChargingProfiles: clearChargingProfiles(deps),
    }),
    serve(CompositeScheduleServiceService, {
      getCompositeSchedule: getCompositeSchedule(deps),
    }),
    serve(IdTokenServiceService, {
      createIdToken: createIdToken(deps),
      getIdToken: getIdToken(deps),
      listIdTokens: listIdTokens(deps),
      updateIdToken: updateIdToken(deps),
      deleteIdToken: deleteIdToken(deps),
    }),
    serve(CommandServiceService, {
      createCommand: createCommand(deps),
      getCommand: getCommand(deps),
      listCommands: listCommands(deps),
    }),
    serve(ConnectionServiceService, {
      listConnections: listConnections(deps),
      checkConnection: checkConnection(deps),
    }),
    ...certificateRegistrations(deps),
    ...configurationRegistrations(deps),
    ...messageRegistrations(deps),
    ...fileRegistrations(deps),
    ...webhookRegistrations(deps),
    serve(eventService, {
      watchEvents: watchEvents(deps),
    }),
  ];
}
