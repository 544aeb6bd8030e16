import { Client, credentials } from "@grpc/grpc-js";

const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const asIs = (bytes: Buffer): Buffer => bytes;
/** A message whose only field is a text shorter than 128 bytes. */
const textField = (number: number, text: string): Buffer => Buffer.concat([Buffer.of((number << 3) | 2, text.length), Buffer.from(text)]);

/** Waits until grpc.health.v1 says `wanted` of `name`, as a client that nobody here wrote would. */
export function healthIs(address: string, name: string, wanted: string): Promise<void> {
  const client = new Client(address, credentials.createInsecure());
  const watching = client.makeServerStreamRequest("/grpc.health.v1.Health/Watch", asIs, asIs, textField(1, name));
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} did not become ${wanted}`)), 20_000);
    watching.on("data", (bytes: Buffer) => {
      if (STATUSES[bytes[1] ?? 0] !== wanted) return;
      clearTimeout(timer);
      resolve();
    });
    watching.on("error", (err) => {
      clearTimeout(timer);
      reject(err);
    });
  }).finally(() => {
    watching.on("error", () => undefined);
    watching.cancel();
    client.close();
  });
}

/** What server reflection answers when it is asked for the services. */
export function reflectedServices(address: string): Promise<string> {
  const client = new Client(address, credentials.createInsecure());
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const asking = client.makeBidiStreamRequest(path, asIs, asIs);
  return new Promise<string>((resolve, reject) => {
    asking.on("data", (bytes: Buffer) => resolve(bytes.toString("latin1")));
    asking.on("error", reject);
    asking.write(textField(7, "*"));
  }).finally(() => {
    asking.on("error", () => undefined);
    asking.cancel();
    client.close();
  });
}
