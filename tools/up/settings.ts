import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { StartError } from "../servers/start-error.ts";

/** Names to values; what is not set is not in it. */
export type Settings = Readonly<Record<string, string>>;

/** The addresses where something listens, with what they are unless they are set. */
const ADDRESSES = {
  GATEWAY_ADDRESS: "127.0.0.1:3000",
  AUTH_GRPC_ADDRESS: "127.0.0.1:3001",
  CHARGER_GRPC_ADDRESS: "127.0.0.1:3002",
  CHARGER_OCPP_ADDRESS: "127.0.0.1:3003",
  EMAIL_GRPC_ADDRESS: "127.0.0.1:3004",
} as const;
/** The one that is there only with a certificate. */
const TLS_ADDRESSES = { CHARGER_OCPP_TLS_ADDRESS: "127.0.0.1:3443" } as const;
const ALL = { ...ADDRESSES, ...TLS_ADDRESSES };

export type Address = { readonly setting: keyof typeof ALL; readonly host: string; readonly port: number };

/**
 * What `.env` in this folder and the environment say, and the addresses. The environment is stronger; an empty value counts as not set.
 */
export function readSettings(root: string, environment: NodeJS.ProcessEnv): Settings {
  const file = join(root, ".env");
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
  return { ...ADDRESSES, ...whatIsSet(fromFile), ...whatIsSet(environment) };
}

/** Whether chargers may come in by TLS. */
export function hasOcppTls(settings: Settings): boolean {
  return settings.CHARGER_OCPP_TLS_CERT !== undefined;
}

/** The addresses, read. Throws StartError, naming the setting, if one is none or two are the same. */
export function readAddresses(settings: Settings): readonly Address[] {
  const seen = new Map<string, string>();
  return (Object.keys(hasOcppTls(settings) ? ALL : ADDRESSES) as Address["setting"][]).map((setting) => {
    const text = settings[setting] ?? ALL[setting];
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
    if (host === undefined || !(Number(port) > 0 && Number(port) < 65_536)) {
      throw new StartError(`${setting} is ${JSON.stringify(text)}, and not a host and a port such as ${ALL[setting]}.`);
    }
    const other = seen.get(text);
    if (other !== undefined) throw new StartError(`${other} and ${setting} are both ${text}: give each its own.`);
    seen.set(text, setting);
    return { setting, host: host.replace(/^\[(.+)\]$/, "$1"), port: Number(port) };
  });
}

/** Where we ourselves reach what listens at a setting, as `host:port`. */
export function reachable(settings: Settings, setting: Address["setting"]): string {
  const text = settings[setting] ?? ALL[setting];
  return text.replace(/^(0\.0\.0\.0|\[::\]|\*):/, "127.0.0.1:");
}

function whatIsSet(vars: NodeJS.Dict<string>): Record<string, string> {
  return Object.fromEntries(Object.entries(vars).filter((entry): entry is [string, string] => Boolean(entry[1])));
}
