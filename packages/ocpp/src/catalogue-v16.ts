import type { Catalogue } from "./catalogue.ts";

/**
 * OCPP 1.6, what exists: the 28 messages of edition 2 (section 3.3 says which profile each is in; sections 4 and 5, who sends it) and
 * the 11 of the security whitepaper, edition 3.
 */
export const v16Catalogue = {
  Authorize: { from: "station", profile: "core" },
  BootNotification: { from: "station", profile: "core" },
  ChangeAvailability: { from: "csms", profile: "core" },
  ChangeConfiguration: { from: "csms", profile: "core" },
  ClearCache: { from: "csms", profile: "core" },
  DataTransfer: { from: "both", profile: "core" },
  GetConfiguration: { from: "csms", profile: "core" },
  Heartbeat: { from: "station", profile: "core" },
  MeterValues: { from: "station", profile: "core" },
  RemoteStartTransaction: { from: "csms", profile: "core" },
  RemoteStopTransaction: { from: "csms", profile: "core" },
  Reset: { from: "csms", profile: "core" },
  StartTransaction: { from: "station", profile: "core" },
  StatusNotification: { from: "station", profile: "core" },
  StopTransaction: { from: "station", profile: "core" },
  UnlockConnector: { from: "csms", profile: "core" },

  DiagnosticsStatusNotification: { from: "station", profile: "firmwareManagement" },
  FirmwareStatusNotification: { from: "station", profile: "firmwareManagement" },
  GetDiagnostics: { from: "csms", profile: "firmwareManagement" },
  UpdateFirmware: { from: "csms", profile: "firmwareManagement" },

  GetLocalListVersion: { from: "csms", profile: "localAuthListManagement" },
  SendLocalList: { from: "csms", profile: "localAuthListManagement" },

  CancelReservation: { from: "csms", profile: "reservation" },
  ReserveNow: { from: "csms", profile: "reservation" },

  ClearChargingProfile: { from: "csms", profile: "smartCharging" },
  GetCompositeSchedule: { from: "csms", profile: "smartCharging" },
  SetChargingProfile: { from: "csms", profile: "smartCharging" },

  TriggerMessage: { from: "csms", profile: "remoteTrigger" },

  CertificateSigned: { from: "csms", profile: "security" },
  DeleteCertificate: { from: "csms", profile: "security" },
  ExtendedTriggerMessage: { from: "csms", profile: "security" },
  GetInstalledCertificateIds: { from: "csms", profile: "security" },
  GetLog: { from: "csms", profile: "security" },
  InstallCertificate: { from: "csms", profile: "security" },
  LogStatusNotification: { from: "station", profile: "security" },
  SecurityEventNotification: { from: "station", profile: "security" },
  SignCertificate: { from: "station", profile: "security" },
  SignedFirmwareStatusNotification: { from: "station", profile: "security" },
  SignedUpdateFirmware: { from: "csms", profile: "security" },
} as const satisfies Catalogue;
