import { type DescMessage, fromJson, type JsonObject, type JsonValue, type MessageShape, type Registry } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { registry } from "../gen/chargemesh/services.js";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.js";
import { codeNumber } from "./api-error.js";
import { isObject } from "./http-request.js";

/** A service may be newer than we are: an Any of what we do not know keeps its type, and is no failure. */
const lenient: Registry = { ...registry, getMessage: (typeName) => registry.getMessage(typeName) ?? { ...EmptySchema, typeName } };

/** Reads an answer's body, or one event of a stream. */
export function readMessage<O extends DescMessage>(output: O, json: JsonValue, field: string | undefined): MessageShape<O> {
  return fromJson(output, field === undefined ? json : { [field]: json }, { registry: lenient, ignoreUnknownFields: true });
}

/** What AIP-193 says of a failure, as the error that gRPC would have made of it. */
export function readError(text: string, httpStatus: number, headers: Headers): ConnectError {
  const { error } = parse(text);
  if (!isObject(error)) {
    // Not one of ours: something between us and the gateway.
    return new ConnectError(`HTTP ${httpStatus}`, codeNumber(codeOfHttp[httpStatus]), headers);
  }
  const { message = "", status, details } = error;
  const outgoing = (Array.isArray(details) ? details : []).flatMap((detail) => {
    if (!isObject(detail)) return [];
    const { "@type": type, ...value } = detail;
    const desc = [ErrorInfoSchema, BadRequestSchema].find(({ typeName }) => String(type).endsWith(`/${typeName}`));
    return desc === undefined ? [] : [{ desc, value: fromJson<DescMessage>(desc, value, { ignoreUnknownFields: true }) }];
  });
  return new ConnectError(String(message), codeNumber(status), headers, outgoing);
}

const codeOfHttp: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "UNAVAILABLE",
};

function parse(text: string): JsonObject {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : {};
  } catch {
    return {};
  }
}
