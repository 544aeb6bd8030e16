import type { FieldViolation } from "@chargemesh/kit/errors";
import type { Req, V16 } from "@chargemesh/ocpp/version";

// The standard configuration keys of OCPP 1.6 (§9) and of the security whitepaper (edition 3, §5). Vendors have keys of their own.

/** What is wrong with a value, as it goes on after "value"; undefined if nothing. */
type Check = (value: string) => string | undefined;

interface StandardKey {
  /** Undefined if no central system may change it. */
  check: Check | undefined;
  /** Whether every charger has it. */
  isRequired: boolean;
}

const LENGTH_MAX = { key: 50, value: 500 };
const INTEGER_MAX = 2 ** 31 - 1;

const truth: Check = (value) => (/^(true|false)$/i.test(value) ? undefined : "must be true or false");

const integer =
  (min = 0, max = INTEGER_MAX): Check =>
  (value) =>
    /^-?\d{1,10}$/.test(value) && Number(value) >= min && Number(value) <= max ? undefined : `must be an integer in ${min}..${max}`;

const list =
  (what: string, isItem: (item: string) => boolean): Check =>
  (value) => {
    const wrong = value.trim() === "" ? undefined : value.split(",").find((item) => !isItem(item.trim()));
    return wrong === undefined ? undefined : `must be a list of ${what}, separated by commas; "${wrong.trim()}" is none`;
  };

type Sample = Req<V16, "MeterValues">["meterValue"][number]["sampledValue"][number];

/** Of §7.31, each spelt as the schema has it: a misspelt one does not compile, nor does a missing one. */
const measurands: Record<NonNullable<Sample["measurand"]>, true> = {
  "Energy.Active.Export.Register": true,
  "Energy.Active.Import.Register": true,
  "Energy.Reactive.Export.Register": true,
  "Energy.Reactive.Import.Register": true,
  "Energy.Active.Export.Interval": true,
  "Energy.Active.Import.Interval": true,
  "Energy.Reactive.Export.Interval": true,
  "Energy.Reactive.Import.Interval": true,
  "Power.Active.Export": true,
  "Power.Active.Import": true,
  "Power.Offered": true,
  "Power.Reactive.Export": true,
  "Power.Reactive.Import": true,
  "Power.Factor": true,
  "Current.Import": true,
  "Current.Export": true,
  "Current.Offered": true,
  Voltage: true,
  Frequency: true,
  Temperature: true,
  SoC: true,
  RPM: true,
};
const phases: Record<NonNullable<Sample["phase"]>, true> = {
  L1: true,
  L2: true,
  L3: true,
  N: true,
  "L1-N": true,
  "L2-N": true,
  "L3-N": true,
  "L1-L2": true,
  "L2-L3": true,
  "L3-L1": true,
};

/** A measurand, also of one phase: "Voltage.L1" (§9.1.17). */
function isMeasurand(item: string): boolean {
  if (item in measurands) return true;
  const dot = item.lastIndexOf(".");
  return item.slice(0, dot) in measurands && item.slice(dot + 1) in phases;
}

const measurandList = list("measurands", isMeasurand);
/** §9.1.8: "0.RST,1.RTS". */
const rotations = list("connectors with the rotation of their phases, as 1.RST", (item) =>
  /^\d+\.(NotApplicable|Unknown|RST|RTS|SRT|STR|TRS|TSR)$/.test(item),
);
const anyText: Check = () => undefined;

const required = (check: Check | undefined): StandardKey => ({ check, isRequired: true });
const optional = (check: Check | undefined): StandardKey => ({ check, isRequired: false });
const readOnly = undefined;

const standardKeys: Readonly<Record<string, StandardKey>> = {
  AllowOfflineTxForUnknownId: optional(truth),
  AuthorizationCacheEnabled: optional(truth),
  AuthorizeRemoteTxRequests: required(truth),
  BlinkRepeat: optional(integer()),
  ClockAlignedDataInterval: required(integer()),
  ConnectionTimeOut: required(integer()),
  ConnectorPhaseRotation: required(rotations),
  ConnectorPhaseRotationMaxLength: optional(readOnly),
  GetConfigurationMaxKeys: required(readOnly),
  HeartbeatInterval: required(integer()),
  LightIntensity: optional(integer(0, 100)),
  LocalAuthorizeOffline: required(truth),
  LocalPreAuthorize: required(truth),
  MaxEnergyOnInvalidId: optional(integer()),
  MeterValuesAlignedData: required(measurandList),
  MeterValuesAlignedDataMaxLength: optional(readOnly),
  MeterValuesSampledData: required(measurandList),
  MeterValuesSampledDataMaxLength: optional(readOnly),
  MeterValueSampleInterval: required(integer()),
  MinimumStatusDuration: optional(integer()),
  NumberOfConnectors: required(readOnly),
  ResetRetries: required(integer()),
  StopTransactionOnEVSideDisconnect: required(truth),
  StopTransactionOnInvalidId: required(truth),
  StopTxnAlignedData: required(measurandList),
  StopTxnAlignedDataMaxLength: optional(readOnly),
  StopTxnSampledData: required(measurandList),
  StopTxnSampledDataMaxLength: optional(readOnly),
  SupportedFeatureProfiles: required(readOnly),
  SupportedFeatureProfilesMaxLength: optional(readOnly),
  TransactionMessageAttempts: required(integer()),
  TransactionMessageRetryInterval: required(integer()),
  UnlockConnectorOnEVSideDisconnect: required(truth),
  WebSocketPingInterval: optional(integer()),
  LocalAuthListEnabled: optional(truth),
  LocalAuthListMaxLength: optional(readOnly),
  SendLocalListMaxLength: optional(readOnly),
  ReserveConnectorZeroSupported: optional(readOnly),
  ChargeProfileMaxStackLevel: optional(readOnly),
  ChargingScheduleAllowedChargingRateUnit: optional(readOnly),
  ChargingScheduleMaxPeriods: optional(readOnly),
  ConnectorSwitch3to1PhaseSupported: optional(readOnly),
  MaxChargingProfilesInstalled: optional(readOnly),
  SupportedFileTransferProtocols: optional(readOnly),
  AdditionalRootCertificateCheck: optional(readOnly),
  CertificateSignedMaxChainSize: optional(readOnly),
  CertificateStoreMaxLength: optional(readOnly),
  CpoName: optional(anyText),
  SecurityProfile: optional(integer(0, 3)),
};

/** Keys compare without regard to case (§7.22). */
const byFolded = new Map(Object.entries(standardKeys).map(([key, standard]) => [key.toLowerCase(), standard]));

/** The keys that every charger has (§9.1). */
export const requiredKeys = Object.entries(standardKeys).flatMap(([key, { isRequired }]) => (isRequired ? [key] : []));

/** What is wrong with setting a key to a value; undefined if nothing, or if it is a vendor's. */
export function settingFault(key: string, value: string): FieldViolation | undefined {
  if (key.length > LENGTH_MAX.key) return { field: "key", description: `must have at most ${LENGTH_MAX.key} characters` };
  if (value.length > LENGTH_MAX.value) return { field: "value", description: `must have at most ${LENGTH_MAX.value} characters` };
  const standard = byFolded.get(key.toLowerCase());
  if (standard === undefined) return undefined;
  if (standard.check === undefined) return { field: "key", description: "is one that only the charger itself sets" };
  const description = standard.check(value);
  return description === undefined ? undefined : { field: "value", description };
}
