import { join } from "node:path";
import { serveGrpc } from "@chargemesh/kit/grpc-server";
import { watchHealth } from "@chargemesh/kit/health";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { openTransport } from "@chargemesh/kit/transport";
import { expect, test } from "vitest";
import { describedProtos, readContract } from "./contract.ts";

// An rpc that does not say who may call it keeps its service from starting, and fails the tests before that.

const proto = join(import.meta.dirname, "protos/unruled.proto");
const log = makeLogger("test", "silent");

/** Starts a service that has this rpc of the fixture and no other. */
async function serve(rpc: string): Promise<string> {
  const stack = new Stack();
  const definition = {
    path: `/chargemesh.unruled.v1.UnruledService/${rpc}`,
    requestStream: false as const,
    responseStream: false,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: () => ({}),
    responseSerialize: () => Buffer.alloc(0),
    responseDeserialize: () => ({}),
  };
  const options = {
    address: "127.0.0.1:0",
    transport: await openTransport(undefined, "unruled-service", stack, log),
    protoFiles: [proto],
    registrations: [{ definition: { rpc: definition }, handlers: { rpc: async () => ({}) } }],
    identify: async () => ({ kind: "anonymous" as const }),
    remoteAddressOf: () => "",
    recordRefusal: () => undefined,
    health: (await watchHealth([], [], stack, log)).implementation,
  };
  try {
    return await serveGrpc(options, stack, log);
  } finally {
    await stack.close(log);
  }
}

test("a service whose rpcs all say who may call starts", async () => {
  expect(await serve("Ruled")).toMatch(/^127\.0\.0\.1:\d+$/);
});

test.each([
  ["Forgotten", "/chargemesh.unruled.v1.UnruledService/Forgotten: has no (chargemesh.rules.v1.access)"],
  ["Unspecified", '/chargemesh.unruled.v1.UnruledService/Unspecified: unknown access rule {"level":"LEVEL_UNSPECIFIED"}'],
  ["Empty", "/chargemesh.unruled.v1.UnruledService/Empty: "],
  ["Uncalled", "/chargemesh.unruled.v1.UnruledService/Uncalled: SERVICE, and nothing else, names its callers"],
  ["Unread", "unknown format FORMAT_UNSPECIFIED"],
  ["Unwritten", "/chargemesh.unruled.v1.UnruledService/Unwritten: no such rpc in the protos"],
])("a service with %s does not start", async (rpc, fault) => {
  await expect(serve(rpc)).rejects.toThrow(fault);
});

test("the tests name an rpc whose rule is taken away", () => {
  const protos = describedProtos();
  const file = protos.file.find(({ name }) => name === "chargemesh/charger/v1/charger_service.proto");
  for (const method of file?.service[0]?.method ?? []) {
    if (["GetCharger", "DeleteCharger"].includes(method.name)) delete method.options;
  }
  expect(() => readContract(protos)).toThrow(
    "no access rule: /chargemesh.charger.v1.ChargerService/GetCharger, /chargemesh.charger.v1.ChargerService/DeleteCharger",
  );
});
