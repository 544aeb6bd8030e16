import type { Transport } from "@connectrpc/connect";
import type { Env } from "../../../test/env.ts";
import { grpcTransport } from "../dist/src/grpc.js";
import { restTransport } from "../dist/src/index.js";

/** Both ways to a system that runs; what a test asserts holds for either. */
export const transports: [name: string, to: (env: Env) => Transport][] = [
  ["REST", (env) => restTransport(env.rest)],
  [
    "gRPC",
    ({ grpc }) =>
      grpcTransport({
        "chargemesh.auth.v1": `http://${grpc.auth}`,
        "chargemesh.charger.v1": `http://${grpc.charger}`,
        "chargemesh.email.v1.MessageService": `http://${grpc.email}`,
      }),
  ],
];
