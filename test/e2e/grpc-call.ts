import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";

/** Calls an rpc with an empty request straight at a service's port, as who shows `bearer`, and answers the status. */
export function callAs(address: string, rpc: string, bearer: string): Promise<status> {
  const client = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${bearer}`);
  const bytes = (): Buffer => Buffer.alloc(0);
  return new Promise<status>((resolve) => {
    const answer = (err: ServiceError | null): void => resolve(err === null ? status.OK : err.code);
    client.makeUnaryRequest(`/${rpc}`, bytes, bytes, undefined, metadata, { deadline: Date.now() + 20_000 }, answer);
  }).finally(() => client.close());
}
