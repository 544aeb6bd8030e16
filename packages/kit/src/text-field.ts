import protobuf from "protobufjs";

/**
 * Compiles what reads the text that a path such as "charger.id" leads to, in a message of `type` as ts-proto has it or in its JSON. `owner`
 * is who says the path. Throws if it leads to no text.
 */
export function textAt(owner: string, type: protobuf.Type, path: string): (message: object) => unknown {
  return readerOf(owner, type, path.split("."));
}

function readerOf(path: string, type: protobuf.Type, [name = "", ...rest]: readonly string[]): (message: object) => unknown {
  const field = type.fields[name]?.resolve();
  const property = name.replace(/_+([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
  const inner = field?.resolvedType instanceof protobuf.Type && rest.length > 0 ? readerOf(path, field.resolvedType, rest) : undefined;
  if (field === undefined || field.repeated || (inner === undefined && (field.type !== "string" || rest.length > 0))) {
    throw new Error(`${path}: ${type.fullName} has no text ${[name, ...rest].join(".")}`);
  }
  return (message) => {
    const value: unknown = Reflect.get(message, property);
    return inner === undefined || typeof value !== "object" || value === null ? value : inner(value);
  };
}
