import protobuf from "protobufjs";
import { AppError, badRequest } from "./errors.ts";

/**
 * What stands in the place of a request whose bytes cannot be read. grpc-js would answer INTERNAL by itself, which tells the caller of a bug
 * of ours; so the request comes in like any other, and is refused when it is known who asks.
 */
export class Unreadable {
  readonly refusal: AppError;

  constructor(refusal: AppError) {
    this.refusal = refusal;
  }
}

/** `deserialize` that does not throw: what it cannot read becomes an Unreadable. `type` is the type of the message. */
export function readable<T extends object>(type: protobuf.Type, deserialize: (bytes: Buffer) => T): (bytes: Buffer) => T | Unreadable {
  return (bytes) => {
    try {
      return deserialize(bytes);
    } catch (cause) {
      const field = unsafeInteger(type, bytes);
      if (field !== undefined) return new Unreadable(badRequest([{ field, description: "must be between -(2^53 - 1) and 2^53 - 1" }]));
      const message = `The request is not a ${type.fullName.slice(1)}.`;
      return new Unreadable(new AppError("invalidArgument", "MALFORMED_REQUEST", message, { cause }));
    }
  };
}

/** The path of the first integer that a double cannot hold, which is what ts-proto refuses in well-formed messages; undefined if there is none. */
function unsafeInteger(type: protobuf.Type, bytes: Buffer): string | undefined {
  try {
    return unsafeIn(type, type.toObject(type.decode(bytes), { longs: String }));
  } catch {
    return undefined; // Not well-formed for protobufjs either: the caller says so.
  }
}

const INTEGERS_OF_64_BITS = ["int64", "uint64", "sint64", "fixed64", "sfixed64"];

function unsafeIn(type: protobuf.Type, message: Record<string, unknown>): string | undefined {
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (value === undefined || field.map) continue;
    const elements = Array.isArray(value) ? value.map((element, i) => [`${field.name}[${i}]`, element]) : [[field.name, value]];
    for (const [at, element] of elements) {
      if (INTEGERS_OF_64_BITS.includes(field.type) && !Number.isSafeInteger(Number(element))) return at;
      if (!(field.resolvedType instanceof protobuf.Type)) continue;
      const inner = unsafeIn(field.resolvedType, element as Record<string, unknown>);
      if (inner !== undefined) return `${at}.${inner}`;
    }
  }
  return undefined;
}
