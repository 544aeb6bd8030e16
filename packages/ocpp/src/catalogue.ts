/** Who sends the CALL: the charger (OCPP: station), we (OCPP: CSMS), or either. */
export type Sender = "station" | "csms";

/** Feature profiles of 1.6 (section 3.3), and the security whitepaper as one more. */
type Profile = "core" | "firmwareManagement" | "localAuthListManagement" | "reservation" | "smartCharging" | "remoteTrigger" | "security";

/** Functional blocks of 2.0.1 (part 2). */
type Block =
  | "A Security"
  | "B Provisioning"
  | "C Authorization"
  | "D LocalAuthorizationListManagement"
  | "E Transactions"
  | "F RemoteControl"
  | "G Availability"
  | "H Reservation"
  | "I TariffAndCost"
  | "J MeterValues"
  | "K SmartCharging"
  | "L FirmwareManagement"
  | "M ISO15118CertificateManagement"
  | "N Diagnostics"
  | "O DisplayMessage"
  | "P DataTransfer";

/** One message: who sends it, and where it belongs. */
export type Row = { readonly from: Sender | "both" } & ({ readonly profile: Profile } | { readonly block: Block });

/** What exists in one version of OCPP, by action. The shape of each payload is the Alliance's schema. */
export type Catalogue = Readonly<Record<string, Row>>;

/** The actions of C that S may send. */
export type SentBy<C extends Catalogue, S extends Sender> = {
  [A in keyof C & string]: C[A]["from"] extends S | "both" ? A : never;
}[keyof C & string];

/** Whether `action`, a word from outside, is one that `sender` may send. */
export function isSentBy<C extends Catalogue, S extends Sender>(catalogue: C, sender: S, action: string): action is SentBy<C, S> {
  if (!Object.hasOwn(catalogue, action)) return false;
  const from = catalogue[action]?.from;
  return from === sender || from === "both";
}
