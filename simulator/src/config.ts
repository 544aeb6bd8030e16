/** What `make demo` sets, or its defaults. */
export interface Config {
  readonly gatewayUrl: string;
  readonly ocppUrl: string;
  readonly adminUsername: string;
  readonly adminPassword: string;
  /** How many registered chargers; one that nobody registered comes on top. */
  readonly chargers: number;
  /** How many times faster than the clock vehicles charge and drivers live. */
  readonly speed: number;
}

/** Names every fault of the settings at once. */
export class ConfigError extends Error {}

/** Reads the settings. An empty text counts as not set. Throws ConfigError. */
export function readConfig(vars: Readonly<Record<string, string | undefined>>): Config {
  const faults: string[] = [];
  const url = (name: string, fallback: string, scheme: RegExp): string => {
    const text = vars[name] || fallback;
    if (!URL.canParse(text) || !scheme.test(text)) faults.push(`${name} must be a URL that begins with ${scheme.source.slice(1)}`);
    return text.replace(/\/+$/, "");
  };
  const integer = (name: string, fallback: number, min: number, max: number): number => {
    const value = Number(vars[name] || fallback);
    if (!Number.isInteger(value) || value < min || value > max) faults.push(`${name} must be an integer in ${min}..${max}`);
    return value;
  };
  const adminPassword = vars.ADMIN_PASSWORD ?? "";
  if (adminPassword === "") faults.push("ADMIN_PASSWORD is required");
  const config: Config = {
    gatewayUrl: url("GATEWAY_URL", "http://127.0.0.1:3000", /^https?:/),
    ocppUrl: url("OCPP_URL", "ws://127.0.0.1:3000/ocpp/ws", /^wss?:/),
    adminUsername: vars.ADMIN_USERNAME || "admin",
    adminPassword,
    chargers: integer("SIMULATOR_CHARGERS", 8, 1, 1_000),
    // So that the first transactions end within half a minute.
    speed: integer("SIMULATOR_SPEED", 60, 1, 3_600),
  };
  if (faults.length > 0) throw new ConfigError(`bad configuration: ${faults.join("; ")}`);
  return Object.freeze(config);
}
