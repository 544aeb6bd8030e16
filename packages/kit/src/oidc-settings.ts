import type { Role } from "./identity.ts";

/** An identity provider (OpenID Connect) whose tokens are taken, and what they mean here. */
export interface OidcIssuer {
  /** As `iss` says it, and where its discovery document is. */
  issuer: string;
  /** What `aud` must hold: tokens for others are none for us. */
  audience: string;
  /** The claim with a person's groups or roles: its name, or a path with dots. */
  roleClaim: string;
  /** What a value of that claim makes of them here. The highest counts. */
  roles: ReadonlyMap<string, Role>;
  /** What they are if none of it is mapped; undefined means that they may not come in. */
  defaultRole: Role | undefined;
}

const ROLES: readonly Role[] = ["DRIVER", "OPERATOR", "ADMIN"];
const KNOWN = ["issuer", "audience", "roleClaim", "roles", "defaultRole"];

/** Reads OIDC_ISSUERS, a JSON array. Throws an Error that says what is wrong with it. */
export function readOidcIssuers(text: string): OidcIssuer[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new Error("is no JSON array");
  const issuers = list.map(readIssuer);
  if (new Set(issuers.map(({ issuer }) => issuer)).size < issuers.length) throw new Error("names an issuer twice");
  return issuers;
}

function readIssuer(item: unknown): OidcIssuer {
  if (typeof item !== "object" || item === null) throw new Error("holds something that is no object");
  const { issuer, audience, roleClaim = "roles", roles = {}, defaultRole, ...others }: Record<string, unknown> = { ...item };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new Error(`knows no ${unknown}, only ${KNOWN.join(", ")}`);
  if (typeof issuer !== "string" || !isSafeUrl(issuer)) throw new Error("needs issuer: an https URL, or http on loopback");
  if (typeof audience !== "string" || audience === "") throw new Error("needs audience: what the tokens' aud holds");
  if (typeof roleClaim !== "string" || roleClaim === "") throw new Error("needs a name as roleClaim");
  if (typeof roles !== "object" || roles === null) throw new Error("needs an object as roles");
  const mapping = new Map(Object.entries(roles).map(([value, role]) => [value, readRole(role)]));
  return { issuer, audience, roleClaim, roles: mapping, defaultRole: defaultRole === undefined ? undefined : readRole(defaultRole) };
}

function readRole(said: unknown): Role {
  const role = ROLES.find((one) => one === said);
  if (role === undefined) throw new Error(`knows no role ${JSON.stringify(said)}, only ${ROLES.join(", ")}`);
  return role;
}

/** Whether nobody on the way can change what is at this URL. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname));
}
