import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Service, startService } from "../service.ts";
import { openSite, type Site } from "./site.ts";
import { connectStation, Refusal, type StationOptions } from "./station.ts";

// Who is let in, who is not, and that an operator sees why.

let site: Site;
let accepting: Service;
let password: string;
const ODD = "*_=+|@.-Az09";

beforeAll(async () => {
  site = await openSite();
  accepting = await startService(site.place, { OCPP_UNKNOWN_CHARGERS: "accept" });
  password = await site.register("CP-1");
  await site.register(ODD);
});
afterAll(async () => {
  await accepting?.stop();
  await site?.leave();
});

const knock = (path: string, options: StationOptions = {}, to: { ocppAddress: string } = site.service) =>
  connectStation(to.ocppAddress, "CP-1", options, path);
/** How it was refused. Throws if it was not. */
async function refusalOf(path: string, options: StationOptions = {}, to?: { ocppAddress: string }): Promise<Refusal> {
  const answer = await knock(path, options, to).catch((err: unknown) => err);
  if (answer instanceof Refusal) return answer;
  throw new Error("was let in");
}
const history = async (id: string) => (await site.connections(id)).map(({ state, reason, count }) => [state, reason, count]);
const authorization = (text: string) => ({ headers: { authorization: text } });
const basic = (text: string | Buffer) => authorization(`Basic ${Buffer.from(text).toString("base64")}`);

test.each<[string, string, StationOptions, number, string, string]>([
  ["an unknown identity", "/nobody", {}, 404, "nobody", "UNKNOWN_CHARGER"],
  ["an identity in other case", "/cp-1", { password: "whatever" }, 404, "cp-1", "UNKNOWN_CHARGER"],
  ["an identity with a blank", "/a%20b", {}, 404, "a b", "INVALID_IDENTITY"],
  ["an identity with a slash in disguise", "/a%2Fb", {}, 404, "a/b", "INVALID_IDENTITY"],
  ["an identity that is no text", "/%ff%fe", {}, 404, "%ff%fe", "INVALID_IDENTITY"],
  ["an identity of too many characters", `/${"x".repeat(49)}`, {}, 404, "x".repeat(49), "INVALID_IDENTITY"],
  ["no identity but a query", "/?id=CP-1", {}, 404, "", "INVALID_IDENTITY"],
  ["an identity with U+0000", "/a%00b", {}, 404, "a\ufffdb", "INVALID_IDENTITY"],
  ["no password", "/CP-1?1", {}, 401, "CP-1", "PASSWORD_MISSING"],
  ["a wrong password", "/CP-1", { password: "wrong" }, 401, "CP-1", "WRONG_PASSWORD"],
])("%s is refused, and the refusal is listed", async (_what, path, options, status, chargerId, reason) => {
  const refused = await refusalOf(path, { ...options, headers: { "x-forwarded-for": "192.0.2.1, 198.51.100.7" } });
  expect([refused.status, refused.headers["content-type"]]).toEqual([status, "application/json"]);
  expect(JSON.parse(refused.body).error).toEqual({ code: status, reason, message: expect.stringMatching(/.{20}/) });
  expect(refused.headers["www-authenticate"]).toBe(status === 401 ? 'Basic realm="OCPP", charset="UTF-8"' : undefined);
  const rows = await site.rows("select * from connection where reason = $1 and charger_id = $2", [reason, chargerId]);
  expect(rows).toMatchObject([
    { state: "REFUSED", remote_address: "198.51.100.7", offered_protocols: ["ocpp1.6"], protocol: "", count: 1 },
  ]);
});

test.each<[string, () => StationOptions]>([
  ["another user's name", () => ({ user: "CP-2", password })],
  ["its name in other case", () => ({ user: "cp-1", password })],
  ["no user's name", () => ({ user: "", password })],
  ["the start of the password", () => ({ password: password.slice(0, -1) })],
  ["more than the password", () => ({ password: `${password}x` })],
  ["an empty password", () => ({ password: "" })],
  ["no colon", () => basic("CP-1")],
  ["another scheme", () => authorization(`Bearer ${password}`)],
  ["what is no base64", () => authorization("Basic %%%")],
  ["nothing after the scheme", () => authorization("Basic ")],
  ["bytes that are no text", () => basic(Buffer.from([0x43, 0x50, 0x2d, 0x31, 0x3a, 0xff, 0x00, 0xfe]))],
])("with %s the charger is not let in", async (_what, options) => {
  const refused = await refusalOf("/CP-1", options());
  expect([refused.status, JSON.parse(refused.body).error.reason]).toEqual([401, "WRONG_PASSWORD"]);
});

test("refusals of one kind and minute share a row that counts them", async () => {
  await site.register("CP-2");
  const before = Math.floor(Date.now() / 60_000);
  await Promise.all(Array.from({ length: 12 }, () => refusalOf("/CP-2", { password: "wrong" })));
  for (let i = 0; i < 3; i++) await refusalOf("/CP-2");
  const seen = await history("CP-2");
  const counted = (reason: string) => seen.filter((row) => row[1] === reason).reduce((sum, [, , count]) => sum + Number(count), 0);
  expect([counted("WRONG_PASSWORD"), counted("PASSWORD_MISSING")]).toEqual([12, 3]);
  // A minute may have turned meanwhile.
  if (Math.floor(Date.now() / 60_000) === before) expect(seen).toHaveLength(2);
});

test.each([
  ["the identity as it is", () => `/${ODD}`],
  ["the identity percent-encoded", () => `/${encodeURIComponent(ODD)}`],
  ["every character percent-encoded", () => `/${[...ODD].map((one) => `%${one.charCodeAt(0).toString(16)}`).join("")}`],
  ["a path before it", () => `/ocpp/ws/${ODD}`],
  ["a query behind it", () => `/${ODD}?token=1/2`],
])("with %s the charger is let in", async (_what, path) => {
  const station = await site.connect(ODD, {}, site.service, path());
  expect(await station.boot()).toMatchObject({ status: "Accepted" });
  await station.leave();
  await site.gone(ODD);
});

test("a charger that nobody registered is registered by whoever accepts it, once", async () => {
  const stations = await Promise.all(Array.from({ length: 4 }, () => knock("/stranger", {}, accepting)));
  expect(stations).toHaveLength(4);
  await expect.poll(() => site.charger("stranger")).toMatchObject({ id: "stranger", registration: "ACCEPTED", connected: true });
  const told = (await site.told()).filter(({ type, subject }) => type === "ChargerCreated" && subject === "stranger");
  expect(told).toHaveLength(1);
  for (const { socket } of stations) socket.terminate();
  // Then it is known everywhere, and what is known still needs its password.
  await site.gone("stranger");
  await (await knock("/stranger")).leave();
  expect(await refusalOf("/CP-1", {}, accepting)).toMatchObject({ status: 401 });
  expect(await refusalOf("/a%20b", {}, accepting)).toMatchObject({ status: 404 });
});

test.each([[["ocpp2.0.1", "ocpp1.5"]], [["soap"]], [["OCPP1.6"]]])(
  "a charger that offers %j is let in without a subprotocol, and closed with the reason in the books",
  async (protocols) => {
    const id = `CP-${protocols.join("-")}`;
    await site.register(id);
    const answer = await site.connect(id, { protocols }).catch((err: unknown) => err);
    // A client insists on one of those it offers; the handshake is completed all the same (OCPP-J 1.6 §3.3).
    expect(String(answer)).toContain("Server sent no subprotocol");
    await expect.poll(() => history(id)).toEqual([["REFUSED", "NO_COMMON_SUBPROTOCOL", 1]]);
    expect(await site.connections(id)).toMatchObject([{ offeredProtocols: protocols, protocol: "" }]);
    expect(await site.charger(id)).toMatchObject({ connected: false, protocol: "" });
  },
);

test("who offers no subprotocol at all is refused", async () => {
  await site.register("CP-none");
  expect(await site.connect("CP-none", { protocols: [] }).catch((err: unknown) => err)).toMatchObject({ status: 400 });
  expect(await history("CP-none")).toEqual([["REFUSED", "NO_COMMON_SUBPROTOCOL", 1]]);
});

test("of those that a charger offers, ours is chosen", async () => {
  const station = await site.connect("CP-1", { protocols: ["ocpp2.0.1", "ocpp1.6", "ocpp1.5"] });
  expect(station.socket.protocol).toBe("ocpp1.6");
  expect(await station.boot()).toMatchObject({ status: "Accepted" });
  expect(await site.charger("CP-1")).toMatchObject({ protocol: "ocpp1.6", connected: true });
  await station.leave();
});

/** Sends this and answers all that comes until the other side closes. */
function raw(text: string): Promise<string> {
  const [host = "", port] = site.service.ocppAddress.split(":");
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connectTcp(Number(port), host, () => socket.end(text));
    socket.on("data", (part) => {
      answer += part.toString();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

test.each([
  ["no WebSocket", "GET /CP-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 426 [\s\S]*WebSocket/],
  ["another method", "POST /CP-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", /^HTTP\/1\.1 426 /],
  ["a body that never comes", "POST /CP-1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx", /^HTTP\/1\.1 426 /],
  ["no HTTP", "hello\r\n\r\n", /^HTTP\/1\.1 400 /],
  [
    "a handshake without a key",
    "GET /stranger HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    /^HTTP\/1\.1 400 /,
  ],
  [
    "an identity as long as a header may be",
    `GET /${"%00aé".repeat(1_500)} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    /^HTTP\/1\.1 40[04] /,
  ],
  [
    "names that fit no index",
    `GET /${randomText(8_000)} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${randomText(6_000)}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    /^HTTP\/1\.1 404 [\s\S]*INVALID_IDENTITY/,
  ],
])("%s is answered and ends nothing", async (_what, text, answer) => {
  await site.rows("update charger set password_hash = null where id = 'stranger'");
  expect(await raw(text)).toMatch(answer);
  const station = await site.connect("CP-1");
  expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  await station.leave();
  await site.gone("CP-1");
});

test("who is refused and stays is not kept", async () => {
  const [host = "", port] = site.service.ocppAddress.split(":");
  const socket = connectTcp({ host, port: Number(port), allowHalfOpen: true }).on("error", () => undefined);
  socket.resume().write("GET /nobody HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  await once(socket, "end");
  // What nobody takes any more is refused by the system.
  const more = setInterval(() => socket.write("x"), 20);
  await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(more);
});

/** Text that does not compress. */
function randomText(length: number): string {
  return Array.from({ length }, () => Math.floor(Math.random() * 36).toString(36)).join("");
}
