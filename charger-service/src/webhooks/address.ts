import { BlockList, isIP, isIPv6 } from "node:net";

/** Networks of IP addresses, of both families. */
export type Networks = Pick<BlockList, "check">;

/**
 * IPv4 addresses that lead to no one on the internet: those of IANA's registry of special purposes (RFC 6890) that are not globally reachable,
 * multicast, and what is reserved. The few of 192.0.0.0/24 that are reachable are anycast of protocols, and nobody's receiver.
 */
const REFUSED_V4 = readNetworks(
  [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    // With 169.254.169.254, where clouds hand out the keys of a machine.
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
  ].join(),
);

/** All that is given out of IPv6 for anybody's use; loopback, mapped and compatible IPv4, NAT64, unique and link-local, multicast are outside. */
const GLOBAL_V6 = readNetworks("2000::/3");

/** And what is not, of that: protocols with Teredo, benchmarks and ORCHID among them; documentation; 6to4, which carries any IPv4 address. */
const REFUSED_V6 = readNetworks("2001::/23,2001:db8::/32,2002::/16,3fff::/20");

/** Whether anybody may have us connect to this IP address: one of the public internet, or of an allowed network. False for what is none. */
export function isPublicAddress(ip: string, allowed: Networks): boolean {
  return isIn(allowed, ip) || (isIPv6(ip) ? isIn(GLOBAL_V6, ip) && !isIn(REFUSED_V6, ip) : isIP(ip) === 4 && !isIn(REFUSED_V4, ip));
}

/** Whether `networks` hold this IP address; one of IPv4 as well in its IPv6-mapped form. */
export function isIn(networks: Networks, ip: string): boolean {
  // What has a zone is an address of this machine's own links.
  const version = ip.includes("%") ? 0 : isIP(ip);
  return version !== 0 && networks.check(ip, version === 6 ? "ipv6" : "ipv4");
}

/** Networks as settings have them: `address/bits`, or an address alone, separated by commas. Throws an Error that says what is wrong. */
export function readNetworks(text: string): Networks {
  const networks = new BlockList();
  for (const part of text.split(",").flatMap((network) => network.trim() || [])) {
    const [, address = "", bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(part) ?? [];
    const version = isIP(address);
    const bitsMax = version === 6 ? 128 : 32;
    if (version === 0 || Number(bits ?? 0) > bitsMax) throw new Error("must be networks such as 10.0.0.0/8,fd00::/8");
    networks.addSubnet(address, bits === undefined ? bitsMax : Number(bits), version === 6 ? "ipv6" : "ipv4");
  }
  return networks;
}
