import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CredentialDesk, openDesk } from "./credential-desk.ts";
import { openSite, type Site } from "./site.ts";
import { Refusal } from "./station.ts";

// What a charger shows as its password: bytes, and nothing else unless it is said.

let site: Site;
let desk: CredentialDesk;

beforeAll(async () => {
  site = await openSite();
  desk = openDesk(site);
});
afterAll(async () => {
  await site?.leave();
});

let count = 0;
/** Registers a charger with this password, and answers its id. */
async function charger(password: string): Promise<string> {
  const id = `B-${++count}`;
  await site.register(id, { password });
  return id;
}

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

test("a password of hexadecimal digits is the bytes that they stand for, whichever they are", async () => {
  for (let from = 0; from < EVERY_BYTE.length; from += 16) {
    const bytes = EVERY_BYTE.subarray(from, from + 16);
    const id = await charger(bytes.toString("hex"));
    const station = await site.connect(id, { password: bytes });
    expect(await station.boot()).toMatchObject({ status: "Accepted" });
    await station.leave();
    // The bytes as text are others.
    expect(await desk.knock(id, bytes.toString("latin1"))).toBe(from < 128 ? "" : "WRONG_PASSWORD");
  }
});

test.each<[string, string, Buffer]>([
  [
    "the example of the specification",
    "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF",
    Buffer.from("0001020304050607ffffffffffffffffffffffff", "hex"),
  ],
  ["small digits", "00010203040506070809abcdefabcdef", Buffer.from("00010203040506070809ABCDEFABCDEF", "hex")],
  ["a text", "no-digits-but-text", Buffer.from("no-digits-but-text")],
  ["a text with colons", "a:b::c:d:e:f:g:h:", Buffer.from("a:b::c:d:e:f:g:h:")],
  ["digits that are too few for bytes", "0123456789abcdef0123", Buffer.from("0123456789abcdef0123")],
  ["digits that are no whole bytes", "0123456789abcdef0123456789abcdef0", Buffer.from("0123456789abcdef0123456789abcdef0")],
])("%s lets in as it is", async (_what, password, bytes) => {
  const id = await charger(password);
  expect(await desk.knock(id, bytes)).toBe("");
  expect(await desk.knock(id, Buffer.concat([bytes, Buffer.of(0)]))).toBe("WRONG_PASSWORD");
  expect(await desk.knock(id, bytes.subarray(0, -1))).toBe("WRONG_PASSWORD");
});

test("hexadecimal digits as text are let in only where that is relaxed, and seen", async () => {
  const bytes = randomBytes(20);
  const id = await charger(bytes.toString("hex"));
  const digits = bytes.toString("hex");
  const refused = await site.connect(id, { password: digits }).catch((err: unknown) => err);
  expect(refused).toMatchObject({ status: 401 });
  expect(refused).toBeInstanceOf(Refusal);
  // An operator sees what would have helped.
  expect(await site.connections(id)).toMatchObject([{ state: "REFUSED", reason: "WRONG_PASSWORD", relaxations: ["HEX_PASSWORD_TEXT"] }]);
  expect(await desk.change(id, { relaxations: ["HEX_PASSWORD_TEXT"] })).toMatchObject({ relaxations: ["HEX_PASSWORD_TEXT"] });
  await (await site.connect(id, { password: digits })).leave();
  await (await site.connect(id, { password: digits.toUpperCase() })).leave();
  await (await site.connect(id, { password: bytes })).leave();
  await expect
    .poll(async () => (await site.connections(id)).map(({ state, relaxations }) => [state, relaxations]))
    .toEqual([
      ["CLOSED", []],
      ["CLOSED", ["HEX_PASSWORD_TEXT"]],
      ["CLOSED", ["HEX_PASSWORD_TEXT"]],
      ["REFUSED", ["HEX_PASSWORD_TEXT"]],
    ]);
  expect(await desk.knock(id, randomBytes(20).toString("hex"))).toBe("WRONG_PASSWORD");
  expect(await desk.knock(id, digits, "somebody")).toBe("WRONG_PASSWORD");
  await desk.change(id, { relaxations: [] });
  expect(await desk.knock(id, digits)).toBe("WRONG_PASSWORD");
});

test("the digits of a text are what a relaxed charger may show instead", async () => {
  const id = await charger("a-text-of-20-letters");
  await desk.change(id, { relaxations: ["HEX_PASSWORD_TEXT"] });
  expect(await desk.knock(id, Buffer.from("a-text-of-20-letters").toString("hex"))).toBe("");
});

test("another user name is refused unless that is relaxed, and never makes up for a wrong password", async () => {
  const id = await charger("a-password-with:colons");
  const knocks = async () => [
    await desk.knock(id, "a-password-with:colons", "somebody"),
    await desk.knock(id, "a-password-with:colons", ""),
    await desk.knock(id, "a-password-with:colons", id.toLowerCase()),
    await desk.knock(id, "another-password-of:20", "somebody"),
    await desk.knock(id, "with:colons", "a-password-"),
  ];
  const wrong = "WRONG_PASSWORD";
  expect(await knocks()).toEqual([wrong, wrong, wrong, wrong, wrong]);
  await desk.change(id, { relaxations: ["ANY_BASIC_USER", "ANY_BASIC_USER"] });
  expect(await knocks()).toEqual(["", "", "", wrong, wrong]);
  const station = await site.connect(id, { user: "admin" });
  expect(await site.charger(id)).toMatchObject({ connected: true, relaxations: ["ANY_BASIC_USER"] });
  const [latest] = await site.connections(id);
  expect(latest).toMatchObject({ state: "OPEN", relaxations: ["ANY_BASIC_USER"] });
  await station.leave();
});

test("both relaxations go together", async () => {
  const bytes = randomBytes(16);
  const id = await charger(bytes.toString("hex"));
  await desk.change(id, { relaxations: ["ANY_BASIC_USER"] });
  expect(await desk.knock(id, bytes.toString("hex"), "x")).toBe("WRONG_PASSWORD");
  await desk.change(id, { relaxations: ["ANY_BASIC_USER", "HEX_PASSWORD_TEXT"] });
  expect(await desk.knock(id, bytes.toString("hex"), "x")).toBe("");
});
