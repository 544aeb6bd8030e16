import { User_Role } from "@chargemesh/contracts/auth/v1/user";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, call, freshPlace, logIn, type Place, refusal, type Service, signedIn, signUp, startService } from "./service.ts";

let place: Place;
let service: Service;
let admin: Awaited<ReturnType<typeof logIn>>;

beforeAll(async () => {
  place = await freshPlace();
  service = await startService(place);
  admin = await logIn(service, ADMIN);
});
afterAll(async () => {
  await service?.stop();
  await place?.leave();
});

const listUsers = (pageSize: number, pageToken: string, token: string) =>
  call(service.users, service.users.listUsers, { pageSize, pageToken }, token);
const getUser = (id: string, token: string) => call(service.users, service.users.getUser, { id }, token);
const updateUser = (user: { id: string; role: User_Role }, token: string, updateMask: string[] | undefined = ["role"]) =>
  call(
    service.users,
    service.users.updateUser,
    { user: { username: "", email: "", createTime: undefined, emailVerified: false, disabled: false, language: "", ...user }, updateMask },
    token,
  );
const token = (...cursor: string[]) => Buffer.from(JSON.stringify(cursor)).toString("base64url");

test("the first administrator comes from the settings", async () => {
  expect(admin).toMatchObject({ username: "admin", role: "ADMIN" });
});

test("users are listed newest first, page by page, each once", async () => {
  for (const name of ["ada", "bob", "carol", "dora", "eve"]) await signUp(service, name);
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await listUsers(2, pageToken, admin.accessToken);
    expect(page.users.length).toBeLessThanOrEqual(2);
    seen.push(...page.users.map(({ username }) => username));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual(["eve", "dora", "carol", "bob", "ada", "admin"]);
});

test.each([
  ["a token of no list", "garbage"],
  ["a time that is none", token("yesterday", "0b0e64e7-9e0a-4f5f-8b5d-3a0e2d6c1a11")],
  ["an id that is none", token("2026-01-01T00:00:00.000Z", "1 or 1=1")],
  ["too little", token("2026-01-01T00:00:00.000Z")],
])("a page token with %s is refused", async (_what, pageToken) => {
  const invalid = { code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields: ["page_token"] };
  expect(await refusal(listUsers(0, pageToken, admin.accessToken))).toEqual(invalid);
});

test("a negative page size is refused", async () => {
  expect(await refusal(listUsers(-1, "", admin.accessToken))).toMatchObject({ code: "INVALID_ARGUMENT", fields: ["page_size"] });
});

test("a user is found by id", async () => {
  const { id } = await signUp(service, "frank@example.org");
  const { user } = await getUser(id, admin.accessToken);
  expect(user).toEqual({
    id,
    username: "frank@example.org",
    email: "frank@example.org",
    role: "DRIVER",
    createTime: expect.any(Date),
    emailVerified: false,
    disabled: false,
    language: "en",
  });
  const nobody = "0b0e64e7-9e0a-4f5f-8b5d-3a0e2d6c1a11";
  expect(await refusal(getUser(nobody, admin.accessToken))).toEqual({ code: "NOT_FOUND", reason: "USER_NOT_FOUND", fields: [] });
  expect(await refusal(getUser("1", admin.accessToken))).toEqual({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields: ["id"] });
});

test.each(["DRIVER", "OPERATOR"] as const)("%s may not look at users or change them", async (role) => {
  const name = `mere ${role}`.replace(" ", "-");
  const { id } = await signUp(service, name);
  await updateUser({ id, role }, admin.accessToken);
  const { accessToken } = await logIn(service, { username: name, password: "correct horse battery staple" });
  const denied = { code: "PERMISSION_DENIED", reason: "ACCESS_DENIED", fields: [] };
  expect(await refusal(listUsers(0, "", accessToken))).toEqual(denied);
  expect(await refusal(getUser(id, accessToken))).toEqual(denied);
  expect(await refusal(updateUser({ id, role: User_Role.ADMIN }, accessToken))).toEqual(denied);
});

test("a new role counts from the next refresh on", async () => {
  const { id, refreshToken } = await signUp(service, "grace");
  const { user } = await updateUser({ id, role: User_Role.OPERATOR }, admin.accessToken);
  expect(user).toMatchObject({ id, username: "grace", role: "OPERATOR" });
  const again = signedIn(await call(service.users, service.users.refreshTokens, { refreshToken }));
  expect(again.role).toBe("OPERATOR");
  expect(JSON.parse(atob(again.accessToken.split(".")[1] ?? ""))).toMatchObject({ sub: id, role: "OPERATOR" });
});

test.each([
  ["no mask", User_Role.OPERATOR, undefined, ["update_mask"]],
  ["an empty mask", User_Role.OPERATOR, [], ["update_mask"]],
  ["a mask with another field", User_Role.OPERATOR, ["role", "email"], ["update_mask"]],
  ["no role", User_Role.ROLE_UNSPECIFIED, ["role"], ["user.role"]],
  ["a role that there is not", User_Role.UNRECOGNIZED, ["role"], ["user.role"]],
  ["all of that", User_Role.ROLE_UNSPECIFIED, ["role", "username"], ["update_mask", "user.role"]],
])("an update with %s is refused", async (_what, role, mask, fields) => {
  const calling = call(
    service.users,
    service.users.updateUser,
    {
      user: { id: admin.id, username: "", email: "", createTime: undefined, emailVerified: false, disabled: false, language: "", role },
      updateMask: mask,
    },
    admin.accessToken,
  );
  expect(await refusal(calling)).toEqual({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
});

test("an update of nobody, or of somebody who is not there, is refused", async () => {
  expect(await refusal(updateUser({ id: "", role: User_Role.ADMIN }, admin.accessToken))).toMatchObject({ fields: ["user.id"] });
  const nobody = "0b0e64e7-9e0a-4f5f-8b5d-3a0e2d6c1a11";
  expect(await refusal(updateUser({ id: nobody, role: User_Role.ADMIN }, admin.accessToken))).toMatchObject({
    code: "NOT_FOUND",
    reason: "USER_NOT_FOUND",
  });
});

test("there is always an administrator, also if two take the role from each other at once", async () => {
  const last = { code: "FAILED_PRECONDITION", reason: "LAST_ADMIN", fields: [] };
  expect(await refusal(updateUser({ id: admin.id, role: User_Role.DRIVER }, admin.accessToken))).toEqual(last);
  const other = await signUp(service, "heidi");
  for (let round = 0; round < 5; round++) {
    await updateUser({ id: other.id, role: User_Role.ADMIN }, admin.accessToken);
    await updateUser({ id: admin.id, role: User_Role.ADMIN }, admin.accessToken);
    const calls = [admin.id, other.id].map((id) => updateUser({ id, role: User_Role.OPERATOR }, admin.accessToken));
    const results = await Promise.allSettled(calls);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const losing = calls[results.findIndex(({ status }) => status === "rejected")];
    expect(await refusal(losing ?? Promise.resolve())).toEqual(last);
  }
});
