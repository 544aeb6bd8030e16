import { existsSync, globSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join, relative } from "node:path";
import { type AnyDefinition, loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import protobuf from "protobufjs";
import type { TypeRegistry } from "./schema.ts";
import { typeRegistry } from "./schema.ts";

/** An rpc that has a `google.api.http` option. */
export interface Rpc {
  /** The full name of its service. */
  readonly service: string;
  readonly name: string;
  /** As gRPC calls it: "/package.Service/Method". */
  readonly path: string;
  /** The .proto file that declares it, for messages to people. */
  readonly file: string;
  readonly requestType: string;
  readonly responseType: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** The option as it was read. */
  readonly rule: unknown;
}

export interface ProtoFiles {
  /** In the order of their declaration. */
  readonly rpcs: readonly Rpc[];
  readonly types: TypeRegistry;
}

/** Where the text of google/api, google/rpc and google/type comes from when the given folders do not hold it. */
const googleProtos = dirname(createRequire(import.meta.url).resolve("google-proto-files/package.json"));

/**
 * Reads every .proto file in `dirs`, each of which is a folder that imports start from. What lies in a folder `google` there is for
 * others to import and is not served. Throws if a file cannot be read or parsed.
 *
 * `@grpc/proto-loader` reads the services and their options. What it says of messages lacks `json_name`, so their fields come from
 * protobufjs, out of the same files.
 */
export function readProtoFiles(dirs: readonly string[]): ProtoFiles {
  const includeDirs = [...dirs, googleProtos];
  const files = dirs.flatMap((dir) => globSync("**/*.proto", { cwd: dir }).filter((file) => !/^google[\\/]/.test(file)));
  if (files.length === 0) throw new Error(`No .proto file in ${dirs.join(", ") || "no folder at all"}.`);
  files.sort();
  const root = readTypes([...files, "google/rpc/status.proto", "google/rpc/error_details.proto", "google/api/httpbody.proto"], includeDirs);
  const rpcs = Object.entries(loadSync(files, { includeDirs, keepCase: true })).flatMap(([service, definition]) =>
    isService(definition) ? rpcsOf(service, definition, root, dirs) : [],
  );
  return { rpcs, types: typeRegistry(root) };
}

function readTypes(files: readonly string[], includeDirs: readonly string[]): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => {
    if (isAbsolute(target)) return target;
    const dir = includeDirs.find((candidate) => existsSync(join(candidate, target)));
    if (dir === undefined) throw new Error(`${target} is imported, and is in none of ${includeDirs.join(", ")}.`);
    return join(dir, target);
  };
  root.loadSync([...files], { keepCase: true });
  root.resolveAll();
  return root;
}

function isService(definition: AnyDefinition): definition is ServiceDefinition {
  return !("format" in definition);
}

function rpcsOf(service: string, definition: ServiceDefinition, root: protobuf.Root, dirs: readonly string[]): Rpc[] {
  const reflected = root.lookupService(service);
  return Object.entries(definition).flatMap(([name, method]) => {
    const rule: unknown = method.options && Object.entries(method.options).find(([option]) => option === "(google.api.http)")?.[1];
    if (rule === undefined) return [];
    const types = reflected.methods[name];
    const requestType = types?.resolvedRequestType?.fullName.slice(1);
    const responseType = types?.resolvedResponseType?.fullName.slice(1);
    if (requestType === undefined || responseType === undefined) throw new Error(`${service}.${name}: its messages are not known.`);
    const { path, requestStream, responseStream } = method;
    const file = shortest(reflected.filename ?? "", dirs);
    return [{ service, name, path, file, requestType, responseType, requestStream, responseStream, rule }];
  });
}

/** A file as its importers name it. */
function shortest(file: string, dirs: readonly string[]): string {
  return dirs.map((dir) => relative(dir, file)).find((path) => !path.startsWith("..") && !isAbsolute(path)) ?? file;
}
