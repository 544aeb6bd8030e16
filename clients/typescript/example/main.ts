// Signs in, adds a charger and prints what happens to it until Ctrl-C. Over REST if CHARGEMESH_URL is set, else over gRPC.

import { toJsonString } from "@bufbuild/protobuf";
import { ApiError, chargemesh, followEvents, passwordTokens, registry, restTransport } from "@chargemesh/client";
import { EventSchema } from "@chargemesh/client/charger/v1";
import { grpcTransport } from "@chargemesh/client/grpc";

const { CHARGEMESH_URL, AUTH_URL, CHARGER_URL, CHARGEMESH_USERNAME, CHARGEMESH_PASSWORD, CHARGER_ID = "CP-1" } = process.env;

const transport =
  CHARGEMESH_URL !== undefined
    ? restTransport(CHARGEMESH_URL)
    : grpcTransport({
        "chargemesh.auth.v1": AUTH_URL ?? "http://127.0.0.1:3001",
        "chargemesh.charger.v1": CHARGER_URL ?? "http://127.0.0.1:3002",
      });
const tokens = passwordTokens(transport, { username: CHARGEMESH_USERNAME ?? "admin", password: CHARGEMESH_PASSWORD ?? "" });
const client = chargemesh(transport, tokens);

try {
  // Open before anything is done, so that nothing of it is missed.
  const events = await followEvents(client);
  const { charger } = await client.chargers.createCharger({ charger: { id: CHARGER_ID } });
  console.log(`added ${charger?.id}; its password is ${charger?.password}`);
  for await (const event of events) {
    if (event.subject === CHARGER_ID) console.log(toJsonString(EventSchema, event, { registry }));
  }
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  console.error(error.code, error.reason, error.message, ...error.fieldViolations);
  process.exitCode = 1;
}
