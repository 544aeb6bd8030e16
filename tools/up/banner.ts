import type { Folders } from "./folders.ts";
import type { Secrets } from "./secrets.ts";
import { hasOcppTls, reachable, type Settings } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** Says where everything is and how to log in. Whether a password of our own making was shown now. */
export function printBanner(terminal: Terminal, settings: Settings, given: Settings, folders: Folders, secrets: Secrets): boolean {
  const gateway = reachable(settings, "GATEWAY_ADDRESS");
  const isOurs = given.ADMIN_PASSWORD === undefined;
  terminal.line();
  terminal.fact("REST", `http://${gateway}        try it: http://${gateway}/docs   how it is: http://${gateway}/health`);
  const tls = hasOcppTls(settings) ? `   or wss://${reachable(settings, "CHARGER_OCPP_TLS_ADDRESS")}/{charger}` : "";
  terminal.fact("OCPP", `ws://${gateway}/ocpp/ws/{charger}   or ws://${reachable(settings, "CHARGER_OCPP_ADDRESS")}/{charger}${tls}`);
  terminal.fact(
    "gRPC",
    `auth ${reachable(settings, "AUTH_GRPC_ADDRESS")}, charger ${reachable(settings, "CHARGER_GRPC_ADDRESS")}, email ${reachable(settings, "EMAIL_GRPC_ADDRESS")}`,
  );
  terminal.fact("mail", settings.SMTP_URL === undefined ? `files in ${settings.MAIL_DIR}` : "by SMTP_URL");
  terminal.fact("logs", folders.logs);
  terminal.fact("administrator", `${settings.ADMIN_USERNAME} / ${passwordHint(isOurs, folders, secrets)}`);
  return isOurs;
}

function passwordHint(isOurs: boolean, folders: Folders, secrets: Secrets): string {
  if (!isOurs) return "the password in ADMIN_PASSWORD";
  if (secrets.adminPasswordShown) return `the password shown at the first start (adminPassword in ${folders.secrets})`;
  return `${secrets.adminPassword}   (made up now, shown this once)`;
}
