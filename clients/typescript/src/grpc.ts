import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, type GrpcTransportOptions } from "@connectrpc/connect-node";

/** Where the services are: a URL for each package (`"chargemesh.auth.v1"`) or service; `"*"` for all that are not named. */
export type Upstreams = Readonly<Record<string, string>>;

/** Calls over gRPC, straight to the services. For Node only; `options` go to connect-node's transport of each service. */
export function grpcTransport(upstreams: Upstreams, options: Omit<GrpcTransportOptions, "baseUrl"> = {}): Transport {
  const opened = new Map<string, Transport>();
  const transportOf = ({ parent }: DescMethod): Transport => {
    const baseUrl = upstreams[parent.typeName] ?? upstreams[parent.file.proto.package] ?? upstreams["*"];
    if (baseUrl === undefined) throw new ConnectError(`It is not said where ${parent.typeName} is.`, Code.FailedPrecondition);
    const transport = opened.get(baseUrl) ?? createGrpcTransport({ ...options, baseUrl });
    opened.set(baseUrl, transport);
    return transport;
  };
  return {
    unary: async (method, ...rest) => transportOf(method).unary(method, ...rest),
    stream: async (method, ...rest) => transportOf(method).stream(method, ...rest),
  };
}
