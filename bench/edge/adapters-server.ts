import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { ChargerServiceService, type GetChargerRequest, type GetChargerResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import { makeRemoteAddressOf } from "@chargemesh/kit/forwarding";
import { serveGrpc } from "@chargemesh/kit/grpc-server";
import { watchHealth } from "@chargemesh/kit/health";
import { makeIdentify } from "@chargemesh/kit/identity";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { openTransport } from "@chargemesh/kit/transport";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";

// The same answer from memory by bare grpc-js and by the kit. Both find out who calls, since no server of ours may leave that out; what the
// kit does besides (rules, deadline, context, failures, log) is what its adapter costs.

const MESH_SECRET = "a secret between services, of this bench only";
const jwks = JSON.parse(process.env.JWKS ?? "{}");
const response: GetChargerResponse = {
  charger: Charger.fromPartial({ id: "CP-01", displayName: "Charger 1 of the bench", createTime: new Date(0), updateTime: new Date(0) }),
};

const identify = makeIdentify({
  keys: () => jwks,
  apiKeys: async () => undefined,
  oidcIssuers: [],
  admitExternal: () => Promise.reject(new Error("nobody comes from elsewhere")),
  meshSecret: MESH_SECRET,
});
const bare = new Server({ "grpc.enable_channelz": 0 });
bare.addService(ChargerServiceService, {
  getCharger: (call: ServerUnaryCall<GetChargerRequest, GetChargerResponse>, callback: sendUnaryData<GetChargerResponse>) => {
    const answer = async (): Promise<void> => {
      const caller = identify(call.metadata);
      if (caller instanceof Promise) await caller;
      callback(null, response);
    };
    answer().catch((err: unknown) => callback(err instanceof Error ? err : new Error(String(err))));
  },
});
const barePort = await new Promise<number>((resolve, reject) =>
  bare.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (err, port) => (err === null ? resolve(port) : reject(err))),
);

const stack = new Stack();
const log = makeLogger("bench", "warn");
const { getCharger } = ChargerServiceService;
const kit = await serveGrpc(
  {
    address: "127.0.0.1:0",
    protoFiles: ["chargemesh/charger/v1/charger_service.proto"],
    registrations: [{ definition: { getCharger }, handlers: { getCharger: async () => response } }],
    transport: await openTransport(undefined, "charger-service", stack, log),
    identify,
    remoteAddressOf: makeRemoteAddressOf(MESH_SECRET),
    recordRefusal: () => undefined,
    health: (await watchHealth([], [], stack, log)).implementation,
  },
  stack,
  log,
);
process.send?.({ bare: `127.0.0.1:${barePort}`, kit });
