import { existsSync, globSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join, relative } from "node:path";
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
  /** Everything that was read, as protobufjs reflects it, comments and all. */
  readonly root: protobuf.Root;
}

/** Where the text of google/api, google/rpc and google/type comes from when the given folders do not hold it. */
const googleProtos = dirname(createRequire(import.meta.url).resolve("google-proto-files/package.json"));

/** The option, as it is written inside and outside of packages that end in google. */
const HTTP_OPTION = /^\(\.?google\.api\.http\)$/;

/**
 * Reads every .proto file in `dirs`, each of which is a folder that imports start from. What lies in a folder `google` there is for
 * others to import and is not served, and neither is what is only imported. Throws if a file cannot be read or parsed.
 */
export function readProtoFiles(dirs: readonly string[]): ProtoFiles {
  const files = dirs.flatMap((dir) => globSync("**/*.proto", { cwd: dir }).filter((file) => !/^google[\\/]/.test(file)));
  if (files.length === 0) throw new Error(`No .proto file in ${dirs.join(", ") || "no folder at all"}.`);
  const served = new Set([...new Set(files)].sort());
  const root = readRoot(
    [...served, "google/rpc/status.proto", "google/rpc/error_details.proto", "google/api/httpbody.proto"],
    [...dirs, googleProtos],
  );
  const rpcs = servicesIn(root).flatMap((service) => {
    const file = shortest(service.filename ?? "", dirs);
    return served.has(file) ? service.methodsArray.flatMap((method) => toRpc(method, service, file)) : [];
  });
  return { rpcs, types: typeRegistry(root), root };
}

function readRoot(files: readonly string[], includeDirs: readonly string[]): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => {
    if (isAbsolute(target)) return target;
    const dir = includeDirs.find((candidate) => existsSync(join(candidate, target)));
    if (dir === undefined) throw new Error(`${target} is imported, and is in none of ${includeDirs.join(", ")}.`);
    return join(dir, target);
  };
  root.loadSync([...files], { keepCase: true, alternateCommentMode: true });
  root.resolveAll();
  return root;
}

/** All services, in the order of their declaration. */
function servicesIn(namespace: protobuf.NamespaceBase): protobuf.Service[] {
  return namespace.nestedArray.flatMap((nested) => {
    if (nested instanceof protobuf.Service) return [nested];
    return nested instanceof protobuf.Namespace ? servicesIn(nested) : [];
  });
}

/** Nothing if the rpc has no `google.api.http` option. Throws if it has two. */
function toRpc(method: protobuf.Method, service: protobuf.Service, file: string): Rpc[] {
  const serviceName = service.fullName.slice(1);
  const rules = (method.parsedOptions ?? []).flatMap((option: Readonly<Record<string, unknown>>) =>
    Object.entries(option).flatMap(([name, value]) => (HTTP_OPTION.test(name) ? [value] : [])),
  );
  if (rules.length === 0) return [];
  const refuse = (reason: string) => new Error(`${file}: ${serviceName}.${method.name}: ${reason}`);
  if (rules.length > 1) throw refuse("google.api.http is given twice");
  const requestType = method.resolvedRequestType?.fullName.slice(1);
  const responseType = method.resolvedResponseType?.fullName.slice(1);
  if (requestType === undefined || responseType === undefined) throw refuse("its messages are not known");
  return [
    {
      service: serviceName,
      name: method.name,
      path: `/${serviceName}/${method.name}`,
      file,
      requestType,
      responseType,
      requestStream: method.requestStream === true,
      responseStream: method.responseStream === true,
      rule: rules[0],
    },
  ];
}

/** A file as its importers name it. */
function shortest(file: string, dirs: readonly string[]): string {
  return dirs.map((dir) => relative(dir, file)).find((path) => !path.startsWith("..") && !isAbsolute(path)) ?? file;
}
