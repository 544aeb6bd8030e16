import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  type DescExtension,
  type DescField,
  type DescMethod,
  type FileRegistry,
  fromBinary,
  fromJson,
  getOption,
  hasOption,
  type JsonObject,
  type Message,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { descriptorSet } from "@chargemesh/contracts/descriptors";

export type Level = "PUBLIC" | "DRIVER" | "OPERATOR" | "ADMIN" | "SERVICE";

/** An rpc as the contract declares it, read from what buf made of the .proto files. The services read their texts instead, so neither trusts the other. */
export interface Rpc {
  /** "/chargemesh.auth.v1.UserService/LogIn" */
  path: string;
  level: Level;
  /** With SERVICE: who. */
  callers: readonly string[];
  streams: boolean;
  /** Only for whoever has signed in: no API key. */
  signedIn: boolean;
  /** The field that names the charger that a call is about; "" if none does. */
  chargerField: string;
  /** Calling it changes nothing. */
  isSafe: boolean;
  /** The field rules refuse an empty request. */
  wantsFields: boolean;
  bindings: readonly Binding[];
  /** The bytes of a request, given as JSON. */
  encode(request: JsonObject): Uint8Array;
  /** The JSON of an answer, with all that is empty left out. */
  decode(answer: Uint8Array): JsonObject;
}

/** Where an rpc is on REST. */
export interface Binding {
  method: string;
  /** "/auth/users/{id}" */
  template: string;
  takesBody: boolean;
}

export function describedProtos(): FileDescriptorSet {
  return fromBinary(FileDescriptorSetSchema, readFileSync(descriptorSet));
}

/** Every rpc of ours. Throws if one does not say who may call it, naming all that do not. */
export function readContract(protos = describedProtos()): Rpc[] {
  const registry = createFileRegistry(protos);
  const methods = [...registry].flatMap((type) => (type.kind === "service" && type.typeName.startsWith("chargemesh.") ? type.methods : []));
  const access = extension(registry, "chargemesh.rules.v1.access");
  const silent = methods.filter((method) => !hasOption(method, access));
  if (silent.length > 0) throw new Error(`no access rule: ${silent.map(pathOf).join(", ")}`);
  return methods.map((method) => readRpc(registry, method));
}

function readRpc(registry: FileRegistry, method: DescMethod): Rpc {
  const { level, callers = [], signedIn = false, chargerField = "" } = optionOf(registry, method, "chargemesh.rules.v1.access");
  const http = extension(registry, "google.api.http");
  return {
    path: pathOf(method),
    level: level as Level,
    callers: callers as string[],
    signedIn: signedIn === true,
    chargerField: String(chargerField),
    streams: method.methodKind === "server_streaming",
    isSafe: method.idempotency === 1,
    wantsFields: method.input.fields.some((field) => isRequired(registry, field)),
    bindings: hasOption(method, http) ? bindingsOf(optionOf(registry, method, "google.api.http")) : [],
    encode: (request) => toBinary(method.input, fromJson(method.input, request, { registry })),
    decode: (answer) => toJson(method.output, fromBinary(method.output, answer), { registry }) as JsonObject,
  };
}

function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

function isRequired(registry: FileRegistry, field: DescField): boolean {
  const rules = extension(registry, "chargemesh.rules.v1.field");
  return hasOption(field, rules) && optionOf(registry, field, "chargemesh.rules.v1.field").required === true;
}

function bindingsOf({ additionalBindings = [], body, ...rule }: JsonObject): Binding[] {
  const methods = ["get", "put", "post", "delete", "patch"].filter((method) => method in rule);
  const own = methods.map((method) => ({
    method: method.toUpperCase(),
    template: String(rule[method]),
    takesBody: body !== undefined && body !== "",
  }));
  return [...own, ...(additionalBindings as JsonObject[]).flatMap(bindingsOf)];
}

function extension(registry: FileRegistry, name: string): DescExtension {
  const found = registry.getExtension(name);
  if (found === undefined) throw new Error(`the descriptors have no ${name}`);
  return found;
}

function optionOf(registry: FileRegistry, of: DescMethod | DescField, name: string): JsonObject {
  const option = extension(registry, name);
  if (option.message === undefined) throw new Error(`${name} is no message`);
  const value = of.kind === "rpc" ? getOption(of, option) : getOption(of, option);
  return toJson(option.message, value as Message, { registry }) as JsonObject;
}
