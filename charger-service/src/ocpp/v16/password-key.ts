/** Whether this is the configuration key that holds the charger's password. Keys compare without regard to case (OCPP 1.6 §7.22). */
export function isPasswordKey(key: unknown): boolean {
  return typeof key === "string" && key.toLowerCase() === "authorizationkey";
}
