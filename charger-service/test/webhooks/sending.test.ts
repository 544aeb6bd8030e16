import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isPublicAddress, readNetworks } from "../../src/webhooks/address.ts";
import { resolveName } from "../../src/webhooks/resolve.ts";
import { readRetryAfter, waitAfter } from "../../src/webhooks/retry.ts";
import { makeSend, type Outcome } from "../../src/webhooks/send.ts";
import { makeSlots } from "../../src/webhooks/slots.ts";
import { type Office, openOffice } from "../ocpp/papers.ts";
import { answers, good, nobody, openReceiver, type Receiver, silent, writes } from "./receiver.ts";

// What becomes of a single attempt: at receivers that do as they like, and at addresses that nobody may have us call.

/** Of those that are let wait. */
const SHORT_MS = 1_000;
const LONG_MS = 10_000;
const loopback = readNetworks("127.0.0.0/8");
const none = readNetworks("");
let receiver: Receiver;
let office: Office;
const trusted = getCACertificates("default");

beforeAll(async () => {
  receiver = await openReceiver();
  office = await openOffice("CN=Receivers");
  setDefaultCACertificates([...trusted, office.ca]);
});
afterAll(async () => {
  setDefaultCACertificates(trusted);
  await receiver?.leave();
});

const post = (url: string, { allowedNetworks = loopback, resolve = resolveName, timeoutMs = LONG_MS } = {}): Promise<Outcome> =>
  makeSend({ allowedNetworks, timeoutMs, resolve })({ url, headers: {}, body: "{}" }, new AbortController().signal);

/** Writes until it is stopped. */
const pour =
  (text: string, everyMs: number) =>
  (socket: { destroyed: boolean; write(text: string): void }): void => {
    const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write(text)), everyMs);
  };
const ok = "HTTP/1.1 200 OK\r\n";
const chunk = `1000\r\n${"x".repeat(4096)}\r\n`;

test.concurrent.each([
  ["says yes", good, { status: 200, error: "", response: "thanks" }],
  ["says yes without a word", answers(204), { status: 204, error: "", response: "" }],
  ["says no", answers(500, {}, "sorry"), { status: 500, error: "answered 500", response: "sorry" }],
  [
    "redirects",
    answers(302, { location: "http://169.254.169.254/latest" }),
    { status: 302, error: "answered 302: redirects, to http://169.254.169.254/latest, are not followed", response: "" },
  ],
  ["says less than it writes", writes(`${ok}content-length: 2\r\n\r\nhi there`), { status: 200, error: "", response: "hi" }],
  [
    "says more than it writes",
    writes(`${ok}content-length: 9\r\n\r\nhi`, (socket) => socket.end()),
    { status: 200, error: "closed the connection before the answer was whole", response: "hi" },
  ],
  [
    "says more than it writes, and waits",
    writes(`${ok}content-length: 9\r\n\r\nhi`),
    { status: 200, error: "the answer did not end within 1 s", response: "hi" },
  ],
  [
    "writes without end",
    writes(`${ok}transfer-encoding: chunked\r\n\r\n`, pour(chunk.repeat(20), 1)),
    { status: 200, error: "", response: "x".repeat(1024) },
  ],
  [
    "writes its answer slowly",
    writes(`${ok}transfer-encoding: chunked\r\n\r\n`, pour("1\r\nx\r\n", 50)),
    { status: 200, error: "the answer did not end within 1 s", response: expect.stringMatching(/^x{1,20}$/) },
  ],
  ["writes its head slowly", writes(ok, pour("x-a: b\r\n", 50)), { error: "no answer within 1 s", response: "" }],
  ["never gets to the point", writes("", pour("HTTP/1.1 100 Continue\r\n\r\n", 50)), { error: "no answer within 1 s", response: "" }],
  ["says nothing", silent, { error: "no answer within 1 s", response: "" }],
  ["speaks something else", writes("SSH-2.0-OpenSSH_9.9\r\n"), { error: expect.stringMatching(/^answered no HTTP: /), response: "" }],
  [
    "has a head that is too large",
    writes(`${ok}x: ${"y".repeat(20_000)}\r\n\r\n`),
    { error: "answered no HTTP: Parse Error: Header overflow", response: "" },
  ],
  [
    "changes the subject",
    writes("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    { error: "closed the connection without an answer", response: "" },
  ],
  ["closes early", writes("", (socket) => socket.destroy()), { error: "closed the connection before the answer was whole", response: "" }],
])("a receiver that %s", async (_name, manner, outcome) => {
  const own = await openReceiver(manner);
  const timeoutMs = String(outcome.error).endsWith("within 1 s") ? SHORT_MS : LONG_MS;
  expect(await post(own.url, { timeoutMs })).toMatchObject({ status: undefined, ...outcome });
  await own.leave();
});

test("nobody is there", async () => {
  expect(await post(await nobody())).toMatchObject({ status: undefined, error: expect.stringMatching(/^connect ECONNREFUSED/) });
  const unknown = { resolve: () => Promise.reject(Object.assign(new Error("queryA ENOTFOUND"), { code: "ENOTFOUND" })) };
  expect(await post("https://nowhere.example/", unknown)).toMatchObject({ error: "there is no such host" });
  // A name server that says nothing.
  const lost = { resolve: () => new Promise<string[]>(() => undefined), timeoutMs: SHORT_MS };
  expect(await post("https://lost.example/", lost)).toMatchObject({ error: "no connection within 1 s" });
});

test("the name of a receiver is what its certificate has to be of", async () => {
  const subject = "CN=receiver";
  const own = await openReceiver(good, await office.issue({ subject, dnsNames: ["hooks.example"], usage: "server" }));
  const { port } = new URL(own.url);
  const here = { resolve: async () => ["127.0.0.1"] };
  expect(await post(`https://hooks.example:${port}/`, here)).toMatchObject({ status: 200, error: "" });
  expect(await post(`https://other.example:${port}/`, here)).toMatchObject({
    error: expect.stringMatching(/^Hostname\/IP does not match/),
  });
  expect(await post(own.url)).toMatchObject({ error: expect.stringMatching(/^Hostname\/IP does not match/) });
  expect(await post(`http://127.0.0.1:${port}/`)).toMatchObject({ error: "closed the connection before the answer was whole" });
  expect(await post(receiver.url.replace("http:", "https:"))).toMatchObject({ error: "there is no TLS there" });
  await own.leave();

  const stranger = await openOffice("CN=Somebody");
  const foreign = await openReceiver(good, await stranger.issue({ subject, dnsNames: ["hooks.example"], usage: "server" }));
  const foreignUrl = `https://hooks.example:${new URL(foreign.url).port}/`;
  expect(await post(foreignUrl, here)).toMatchObject({ error: expect.stringMatching(/certificate/) });
  expect(foreign.received).toEqual([]);
  await foreign.leave();
});

test("whatever a receiver is called, it is called only at a public address", async () => {
  receiver.behave(good);
  const before = receiver.received.length;
  const { port } = new URL(receiver.url);
  const spellings = [
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "017700000001",
    "0177.0.0.01",
    "127.1",
    "127.0.0.1.",
    "１２７.0.0.1",
    "127。0.0.1",
  ];
  for (const host of spellings)
    expect(await post(`https://${host}:${port}/`, { allowedNetworks: none })).toMatchObject({
      error: "refused: 127.0.0.1, which is no public address",
    });
  for (const host of ["[::1]", "[::]", "[::ffff:127.0.0.1]", "[::7f00:1]", "[64:ff9b::127.0.0.1]", "[fe80::1]", "0", "169.254.169.254"])
    expect(await post(`https://${host}:${port}/`, { allowedNetworks: none })).toMatchObject({
      status: undefined,
      error: expect.stringMatching(/^refused: .*, which is no public address$/),
    });
  expect(await post(`https://localhost:${port}/`, { allowedNetworks: none })).toMatchObject({
    error: expect.stringMatching(/^refused: localhost leads to (127\.0\.0\.1|::1), which is no public address$/),
  });
  // One bad address is one too many.
  const mixed = { allowedNetworks: none, resolve: async () => ["93.184.216.34", "127.0.0.1"] };
  expect(await post(`https://mixed.example:${port}/`, mixed)).toMatchObject({
    error: "refused: mixed.example leads to 127.0.0.1, which is no public address",
  });
  expect(await post("http://93.184.216.34/")).toMatchObject({ error: "refused: plain http, outside of the networks allowed" });
  expect(await post(`https://empty.example:${port}/`, { resolve: async () => [] })).toMatchObject({
    error: "empty.example has no address",
  });
  expect(receiver.received).toHaveLength(before);
});

test("a name is asked for once, and what it says then is where the event goes", async () => {
  receiver.behave(good);
  const said = [["127.0.0.1"], ["127.0.0.2"]];
  const resolve = async (): Promise<string[]> => said.shift() ?? [];
  expect(await post(`http://changing.example:${new URL(receiver.url).port}/`, { resolve })).toMatchObject({ status: 200 });
  expect(said).toHaveLength(1);
  expect(receiver.received.at(-1)?.headers.host).toBe(`changing.example:${new URL(receiver.url).port}`);
});

test("addresses that anybody may be called at", () => {
  const refused = (address: string): boolean => !isPublicAddress(address, none);
  const open = ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2001:4860:4860::8888"];
  expect(open.filter(refused)).toEqual([]);
  const special = [
    ..."0.1.2.3 10.1.2.3 100.64.0.1 127.9.9.9 169.254.169.254 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1".split(" "),
    ..."198.19.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255".split(" "),
    ...":: ::1 ::ffff:8.8.8.8 ::8.8.8.8 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:20::1 2001:db8::1".split(" "),
    ..."2002:808:808::1 3fff::1 5f00::1 fc00::1 fd12::1 fe80::1 fec0::1 ff02::1 2606::1%eth0 localhost 0x7f.1 2130706433".split(" "),
  ];
  expect(special.filter((address) => !refused(address))).toEqual([]);
  const allowed = readNetworks("10.0.0.0/8, fd00::/8,192.168.1.7");
  expect(["10.9.9.9", "::ffff:10.9.9.9", "fd12::1", "192.168.1.7"].filter((address) => !isPublicAddress(address, allowed))).toEqual([]);
  expect(["192.168.1.8", "11.0.0.1", "fe80::1"].filter((address) => isPublicAddress(address, readNetworks("10.0.0.0/8")))).toEqual([
    "11.0.0.1",
  ]);
  for (const text of ["10.0.0.0/33", "::/129", "10.0.0/8", "localhost", "10.0.0.0/", "10.0.0.0/8/8"])
    expect(() => readNetworks(text)).toThrow("must be networks");
});

test("waits double from five seconds to an hour, and receivers may ask for no more than that", () => {
  const waits = Array.from({ length: 30 }, (_, i) => waitAfter(i + 1));
  const longest = Array.from({ length: 30 }, (_, i) => Math.min(5_000 * 2 ** i, 3_600_000));
  expect(waits.every((wait, i) => wait <= (longest[i] ?? 0) && wait >= (longest[i] ?? 0) * 0.75)).toBe(true);
  const now = new Date("2026-01-01T00:00:00Z");
  const after = (header: string | undefined): number | undefined => {
    const time = readRetryAfter(header, now);
    return time === undefined ? undefined : time.getTime() - now.getTime();
  };
  expect(after("120")).toBe(120_000);
  expect(after("Thu, 01 Jan 2026 00:01:00 GMT")).toBe(60_000);
  expect(after("999999999")).toBe(3_600_000);
  for (const header of [undefined, "0", "-5", "soon", "Wed, 31 Dec 2025 23:59:59 GMT"]) expect(after(header)).toBeUndefined();
});

test("however many receivers say nothing, there is room for an attempt to every other", async () => {
  const slots = makeSlots();
  const endless = Promise.withResolvers<void>();
  const begun = Array.from({ length: 100 }, (_, webhook) => {
    const free = slots.free(`${webhook}`, 0);
    for (let i = 0; i < free; i++) void slots.hold(webhook * 100 + i, `${webhook}`, endless.promise);
    return free;
  });
  expect(begun).toEqual([...Array(16).fill(8), ...Array(84).fill(1)]);
  expect(slots.free("0", 0)).toBe(0);
  expect(slots.free("another", 0)).toBe(1);
  // Those that are about to begin count.
  expect(slots.free("another", 256 - slots.ids().length)).toBe(0);
  endless.resolve();
  await slots.empty();
  expect([slots.ids(), slots.taken("0"), slots.free("0", 0), slots.free("0", 127)]).toEqual([[], 0, 8, 8]);
});
