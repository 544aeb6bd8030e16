import { isIPv6 } from "node:net";

/** What an address counts as where callers are counted: who has an IPv6 address has a whole network of them, the first 64 bits. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith("::ffff:")) return address;
  const [head = [], tail = []] = address.split("::", 2).map((part) => part.split(":").filter(Boolean));
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => "0");
  return [...head, ...zeros, ...tail].slice(0, 4).join(":");
}
