import { ask } from "./link.ts";
import { type Charger, isOnline } from "./state.ts";

const LINES_MAX = 500;

/** Tells the CSMS of something that matters to security, and keeps it in the log (security whitepaper, SecurityEventNotification). */
export function reportSecurity(charger: Charger, type: string, techInfo?: string): void {
  const timestamp = new Date(charger.time.now()).toISOString();
  charger.securityLog.push(`${timestamp} ${type}${techInfo === undefined ? "" : ` ${techInfo}`}\n`);
  if (charger.securityLog.length > LINES_MAX) charger.securityLog.shift();
  if (isOnline(charger))
    ask(charger.link, "SecurityEventNotification", techInfo === undefined ? { type, timestamp } : { type, timestamp, techInfo }, () => {});
}
