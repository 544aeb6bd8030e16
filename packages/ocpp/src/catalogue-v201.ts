import type { Catalogue } from "./catalogue.ts";

/** OCPP 2.0.1, what exists: its 64 messages by the functional block of part 2 that specifies them. */
export const v201Catalogue = {
  CertificateSigned: { from: "csms", block: "A Security" },
  SecurityEventNotification: { from: "station", block: "A Security" },
  SignCertificate: { from: "station", block: "A Security" },

  BootNotification: { from: "station", block: "B Provisioning" },
  GetBaseReport: { from: "csms", block: "B Provisioning" },
  GetReport: { from: "csms", block: "B Provisioning" },
  GetVariables: { from: "csms", block: "B Provisioning" },
  NotifyReport: { from: "station", block: "B Provisioning" },
  Reset: { from: "csms", block: "B Provisioning" },
  SetNetworkProfile: { from: "csms", block: "B Provisioning" },
  SetVariables: { from: "csms", block: "B Provisioning" },

  Authorize: { from: "station", block: "C Authorization" },
  ClearCache: { from: "csms", block: "C Authorization" },

  GetLocalListVersion: { from: "csms", block: "D LocalAuthorizationListManagement" },
  SendLocalList: { from: "csms", block: "D LocalAuthorizationListManagement" },

  GetTransactionStatus: { from: "csms", block: "E Transactions" },
  TransactionEvent: { from: "station", block: "E Transactions" },

  RequestStartTransaction: { from: "csms", block: "F RemoteControl" },
  RequestStopTransaction: { from: "csms", block: "F RemoteControl" },
  TriggerMessage: { from: "csms", block: "F RemoteControl" },
  UnlockConnector: { from: "csms", block: "F RemoteControl" },

  ChangeAvailability: { from: "csms", block: "G Availability" },
  Heartbeat: { from: "station", block: "G Availability" },
  StatusNotification: { from: "station", block: "G Availability" },

  CancelReservation: { from: "csms", block: "H Reservation" },
  ReservationStatusUpdate: { from: "station", block: "H Reservation" },
  ReserveNow: { from: "csms", block: "H Reservation" },

  CostUpdated: { from: "csms", block: "I TariffAndCost" },

  MeterValues: { from: "station", block: "J MeterValues" },

  ClearChargingProfile: { from: "csms", block: "K SmartCharging" },
  ClearedChargingLimit: { from: "station", block: "K SmartCharging" },
  GetChargingProfiles: { from: "csms", block: "K SmartCharging" },
  GetCompositeSchedule: { from: "csms", block: "K SmartCharging" },
  NotifyChargingLimit: { from: "station", block: "K SmartCharging" },
  NotifyEVChargingNeeds: { from: "station", block: "K SmartCharging" },
  NotifyEVChargingSchedule: { from: "station", block: "K SmartCharging" },
  ReportChargingProfiles: { from: "station", block: "K SmartCharging" },
  SetChargingProfile: { from: "csms", block: "K SmartCharging" },

  FirmwareStatusNotification: { from: "station", block: "L FirmwareManagement" },
  PublishFirmware: { from: "csms", block: "L FirmwareManagement" },
  PublishFirmwareStatusNotification: { from: "station", block: "L FirmwareManagement" },
  UnpublishFirmware: { from: "csms", block: "L FirmwareManagement" },
  UpdateFirmware: { from: "csms", block: "L FirmwareManagement" },

  DeleteCertificate: { from: "csms", block: "M ISO15118CertificateManagement" },
  Get15118EVCertificate: { from: "station", block: "M ISO15118CertificateManagement" },
  GetCertificateStatus: { from: "station", block: "M ISO15118CertificateManagement" },
  GetInstalledCertificateIds: { from: "csms", block: "M ISO15118CertificateManagement" },
  InstallCertificate: { from: "csms", block: "M ISO15118CertificateManagement" },

  ClearVariableMonitoring: { from: "csms", block: "N Diagnostics" },
  CustomerInformation: { from: "csms", block: "N Diagnostics" },
  GetLog: { from: "csms", block: "N Diagnostics" },
  GetMonitoringReport: { from: "csms", block: "N Diagnostics" },
  LogStatusNotification: { from: "station", block: "N Diagnostics" },
  NotifyCustomerInformation: { from: "station", block: "N Diagnostics" },
  NotifyEvent: { from: "station", block: "N Diagnostics" },
  NotifyMonitoringReport: { from: "station", block: "N Diagnostics" },
  SetMonitoringBase: { from: "csms", block: "N Diagnostics" },
  SetMonitoringLevel: { from: "csms", block: "N Diagnostics" },
  SetVariableMonitoring: { from: "csms", block: "N Diagnostics" },

  ClearDisplayMessage: { from: "csms", block: "O DisplayMessage" },
  GetDisplayMessages: { from: "csms", block: "O DisplayMessage" },
  NotifyDisplayMessages: { from: "station", block: "O DisplayMessage" },
  SetDisplayMessage: { from: "csms", block: "O DisplayMessage" },

  DataTransfer: { from: "both", block: "P DataTransfer" },
} as const satisfies Catalogue;
