import { ConfigError, readEnv, readTokenConfig } from "@chargemesh/kit/config";
import { expect, test } from "vitest";

const read = (issuers: unknown) => {
  const env = readEnv({ OIDC_ISSUERS: typeof issuers === "string" ? issuers : JSON.stringify(issuers) });
  return env.done(readTokenConfig(env)).oidcIssuers;
};
const good = { issuer: "https://id.example.org", audience: "chargemesh" };

test("what is not said has a default, and no role is given by default", () => {
  expect(read([good])).toEqual([{ ...good, roleClaim: "roles", roles: new Map(), defaultRole: undefined }]);
  expect(read([{ ...good, roles: { staff: "OPERATOR" }, defaultRole: "DRIVER" }])).toMatchObject([
    { roles: new Map([["staff", "OPERATOR"]]), defaultRole: "DRIVER" },
  ]);
});

test.each([
  ["no JSON", "{", "OIDC_ISSUERS is no JSON"],
  ["no array", good, "OIDC_ISSUERS is no JSON array"],
  ["http that is not on loopback", [{ ...good, issuer: "http://id.example.org" }], "OIDC_ISSUERS needs issuer"],
  ["a name that only looks like loopback", [{ ...good, issuer: "http://127.0.0.1.example.org" }], "OIDC_ISSUERS needs issuer"],
  ["no audience", [{ issuer: good.issuer }], "OIDC_ISSUERS needs audience"],
  ["an unknown role", [{ ...good, roles: { staff: "ROOT" } }], 'OIDC_ISSUERS knows no role "ROOT"'],
  ["an unknown default role", [{ ...good, defaultRole: "admin" }], 'OIDC_ISSUERS knows no role "admin"'],
  ["a misspelt name", [{ ...good, defaultrole: "DRIVER" }], "OIDC_ISSUERS knows no defaultrole"],
  ["an issuer twice", [good, good], "OIDC_ISSUERS names an issuer twice"],
])("%s is a fault of the settings", (_what, issuers, fault) => {
  expect(() => read(issuers)).toThrow(ConfigError);
  expect(() => read(issuers)).toThrow(fault);
});
