import type { Request, Response } from "./messages.ts";
import type { Charger } from "./state.ts";

/** One configuration key (OCPP 1.6 section 9). Without `accepts` it can only be read. */
interface Key {
  readonly value: string | ((charger: Charger) => string);
  readonly accepts?: (value: string) => boolean;
  /** Whether a new value becomes true only with the next start. */
  readonly restart?: true;
}

/** What this charger can measure, as MeterValuesSampledData names it. */
export const MEASURANDS = ["Energy.Active.Import.Register", "Power.Active.Import", "Voltage", "Current.Import", "SoC"] as const;

/** How many keys one GetConfiguration may name. */
const KEYS_MAX = 50;

const isBoolean = (value: string): boolean => value === "true" || value === "false";
const isWhole =
  (low: number, high: number) =>
  (value: string): boolean =>
    /^\d{1,10}$/.test(value) && Number(value) >= low && Number(value) <= high;
const isListOf =
  (words: readonly string[]) =>
  (value: string): boolean =>
    value === "" || value.split(",").every((word) => words.includes(word.trim()));

/** The only key that cannot be read (security whitepaper for OCPP 1.6, A01): what it is set to is the password from the next connection on. */
const PASSWORD_KEY = "AuthorizationKey";
export const isPasswordKey = (key: string): boolean => key.toLowerCase() === PASSWORD_KEY.toLowerCase();

/** A day of seconds, and more than any interval is worth. */
const seconds = isWhole(0, 86_400);

const keys = {
  AllowOfflineTxForUnknownId: { value: "true", accepts: isBoolean },
  AuthorizeRemoteTxRequests: { value: "false", accepts: isBoolean },
  ChargeProfileMaxStackLevel: { value: "8" },
  ChargingScheduleAllowedChargingRateUnit: { value: "Current,Power" },
  ChargingScheduleMaxPeriods: { value: "24" },
  ClockAlignedDataInterval: { value: "0" },
  ConnectionTimeOut: { value: "60", accepts: seconds },
  ConnectorPhaseRotation: { value: "NotApplicable" },
  ConnectorSwitch3to1PhaseSupported: { value: "false" },
  CpoName: { value: "", accepts: (value) => value.length <= 50 },
  GetConfigurationMaxKeys: { value: String(KEYS_MAX) },
  HeartbeatInterval: { value: "300", accepts: seconds },
  LightIntensity: { value: "80", accepts: isWhole(0, 100), restart: true },
  LocalAuthListEnabled: { value: "true", accepts: isBoolean },
  LocalAuthListMaxLength: { value: "1000" },
  LocalAuthorizeOffline: { value: "true", accepts: isBoolean },
  LocalPreAuthorize: { value: "false", accepts: isBoolean },
  MaxChargingProfilesInstalled: { value: "20" },
  MeterValuesAlignedData: { value: "" },
  MeterValuesSampledData: { value: MEASURANDS.join(","), accepts: isListOf(MEASURANDS) },
  MeterValueSampleInterval: { value: "60", accepts: seconds },
  NumberOfConnectors: { value: (charger) => String(charger.connectors.length) },
  ReserveConnectorZeroSupported: { value: "false" },
  ResetRetries: { value: "0" },
  SendLocalListMaxLength: { value: "250" },
  StopTransactionOnEVSideDisconnect: { value: "true" },
  StopTransactionOnInvalidId: { value: "true", accepts: isBoolean },
  StopTxnAlignedData: { value: "" },
  StopTxnSampledData: { value: MEASURANDS.join(","), accepts: isListOf(MEASURANDS) },
  SupportedFeatureProfiles: { value: "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger" },
  TransactionMessageAttempts: { value: "3", accepts: isWhole(1, 100) },
  TransactionMessageRetryInterval: { value: "10", accepts: seconds },
  UnlockConnectorOnEVSideDisconnect: { value: "true" },
} as const satisfies Record<string, Key>;

export type KeyName = keyof typeof keys;

const rows: Readonly<Record<string, Key>> = keys;

/** Keys are compared without regard to case (OCPP 1.6 section 7.22: CiString). */
const names = new Map(Object.keys(keys).map((name) => [name.toLowerCase(), name]));

/** The value of a key that the charger has. */
export function textOf(charger: Charger, name: KeyName): string {
  return currentValue(charger, name, keys[name]);
}

/** The value of a key that holds a whole number. */
export function numberOf(charger: Charger, name: KeyName): number {
  return Number(textOf(charger, name));
}

/** The value of a key that holds true or false. */
export function isOn(charger: Charger, name: KeyName): boolean {
  return textOf(charger, name) === "true";
}

/** OCPP 1.6 section 5.8: without keys, all. */
export function getConfiguration(charger: Charger, { key }: Request<"GetConfiguration">): Response<"GetConfiguration"> {
  const asked = key === undefined || key.length === 0 ? [...Object.keys(keys), PASSWORD_KEY] : key.slice(0, KEYS_MAX);
  const configurationKey: NonNullable<Response<"GetConfiguration">["configurationKey"]> = [];
  const unknownKey: string[] = [];
  for (const wanted of asked) {
    const name = names.get(wanted.toLowerCase());
    const row = name === undefined ? undefined : rows[name];
    if (isPasswordKey(wanted)) configurationKey.push({ key: PASSWORD_KEY, readonly: false });
    else if (name === undefined || row === undefined) unknownKey.push(wanted);
    else configurationKey.push({ key: name, readonly: row.accepts === undefined, value: currentValue(charger, name, row) });
  }
  return unknownKey.length === 0 ? { configurationKey } : { configurationKey, unknownKey };
}

/** Every key that can be read, and its value. */
export function configurationOf(charger: Charger): Record<string, string> {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, currentValue(charger, name, row)]));
}

/** OCPP 1.6 section 5.3. */
export function changeConfiguration(charger: Charger, { key, value }: Request<"ChangeConfiguration">): Response<"ChangeConfiguration"> {
  if (isPasswordKey(key)) return changePassword(charger, value);
  const name = names.get(key.toLowerCase());
  const row: Key | undefined = name === undefined ? undefined : rows[name];
  if (name === undefined || row === undefined) return { status: "NotSupported" };
  if (row.accepts?.(value) !== true) return { status: "Rejected" };
  (row.restart === true ? charger.afterRestart : charger.configuration).set(name, value);
  return { status: row.restart === true ? "RebootRequired" : "Accepted" };
}

/** 16 to 20 bytes, in hexadecimal. */
function changePassword(charger: Charger, value: string): Response<"ChangeConfiguration"> {
  if (!/^(?:[0-9a-f]{2}){16,20}$/i.test(value)) return { status: "Rejected" };
  charger.password = Buffer.from(value, "hex");
  return { status: "Accepted" };
}

/** Makes true what waited for a restart. */
export function applyAfterRestart({ afterRestart, configuration }: Charger): void {
  for (const [name, value] of afterRestart) configuration.set(name, value);
  afterRestart.clear();
}

function currentValue(charger: Charger, name: string, { value }: Key): string {
  return charger.configuration.get(name) ?? charger.options.configuration?.[name] ?? (typeof value === "string" ? value : value(charger));
}
