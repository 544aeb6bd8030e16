import { Metadata } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { makeForwarding, makeRemoteAddressOf } from "../src/forwarding.ts";

const SECRET = "a secret of the services of this test";
const remoteAddressOf = makeRemoteAddressOf(SECRET);

afterEach(() => vi.useRealTimers());

function incoming(metadata: Readonly<Record<string, string>>, peer = "192.0.2.1:4711") {
  return { metadata: Metadata.fromHttp2Headers(metadata), getPeer: () => peer };
}

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["2001:db8::1", "2001:db8::1"],
  ["::ffff:203.0.113.9", "203.0.113.9"],
])("the gateway is believed that it calls for %s", (address, expected) => {
  const forwarding = makeForwarding(SECRET);
  expect(remoteAddressOf(incoming(forwarding(address)))).toBe(expected);
  expect(remoteAddressOf(incoming(forwarding(address)))).toBe(expected);
});

test.each([
  ["without a proof", { "x-forwarded-for": "203.0.113.9" }],
  ["with a proof made up", { "x-forwarded-for": "203.0.113.9", "x-chargemesh-forwarder": `9999999999.${"A".repeat(43)}` }],
  ["with a proof by another secret", makeForwarding("another secret")("203.0.113.9")],
  ["with what is no address", makeForwarding(SECRET)("203.0.113.9, 10.0.0.1")],
  ["with a proof that was made to last", { ...makeForwarding(SECRET)("203.0.113.9"), "x-chargemesh-forwarder": prolonged() }],
])("who names another address %s is not believed", (_how, metadata) => {
  expect(remoteAddressOf(incoming(metadata))).toBe("192.0.2.1");
});

function prolonged(): string {
  const [, mac] = (makeForwarding(SECRET)("203.0.113.9")["x-chargemesh-forwarder"] ?? "").split(".");
  return `9999999999.${mac}`;
}

test("a proof ends", () => {
  const metadata = makeForwarding(SECRET)("203.0.113.9");
  expect(remoteAddressOf(incoming(metadata))).toBe("203.0.113.9");
  vi.useFakeTimers({ now: Date.now() + 62_000 });
  expect(remoteAddressOf(incoming(metadata))).toBe("192.0.2.1");
});

test("who calls directly is known by the other end of the connection", () => {
  expect(remoteAddressOf(incoming({}, "[2001:db8::1]:4711"))).toBe("2001:db8::1");
  expect(remoteAddressOf(incoming({}, "[::ffff:192.0.2.7]:4711"))).toBe("192.0.2.7");
});

test("what proves the gateway is made once for many calls", () => {
  const forwarding = makeForwarding(SECRET);
  const proofs = new Set(Array.from({ length: 100 }, (_, i) => forwarding(`203.0.113.${i}`)["x-chargemesh-forwarder"]));
  expect(proofs.size).toBe(1);
});
