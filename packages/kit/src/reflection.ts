import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createFileRegistry, type DescFile, type FileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { descriptorSet } from "@chargemesh/contracts/descriptors";
import { type handleBidiStreamingCall, type Server, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** A ServerReflectionRequest, as proto-loader hands it out: `messageRequest` names the one of the others that is set. */
interface Question {
  messageRequest?: string;
  fileByFilename?: string;
  fileContainingSymbol?: string;
  fileContainingExtension?: { containingType: string; extensionNumber: number };
  allExtensionNumbersOfType?: string;
}

/** Both versions of the protocol, which differ in nothing but their package. */
const versions = ["v1", "v1alpha"] as const;
const serviceOf = (version: string): string => `grpc.reflection.${version}.ServerReflection`;
/** `@grpc/reflection` is here for the texts of the protocol. What it serves is made by protobufjs, and lacks options and types that others resolve. */
const reflectionProtos = join(dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json")), "build/proto");

/**
 * Serves gRPC Server Reflection for `services` (full names), from the descriptors that buf made of the .proto files: complete, with custom
 * options and comments. Everybody may ask: the .proto files are no secret.
 */
export function addReflection(server: Server, services: readonly string[]): void {
  const answerTo = answerer(services);
  const handler: handleBidiStreamingCall<Question, object> = (call) => {
    call.on("data", (question: Question) => call.write({ originalRequest: question, ...answerTo(question) }));
    call.on("end", () => call.end());
  };
  for (const version of versions) {
    const file = `grpc/reflection/${version}/reflection.proto`;
    const definition = loadSync(file, { includeDirs: [reflectionProtos], oneofs: true })[serviceOf(version)];
    if (definition === undefined || "format" in definition) throw new Error(`${file} has no ${serviceOf(version)}`);
    server.addService(definition, { ServerReflectionInfo: handler });
  }
}

/** Answers one question of the protocol, in the fields of a ServerReflectionResponse. */
function answerer(services: readonly string[]): (question: Question) => object {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorSet)));
  const files = filesOfSymbols(registry);
  const fileAnswer = (file: DescFile | undefined, asked: string): object =>
    file === undefined ? notFound(asked) : { fileDescriptorResponse: { fileDescriptorProto: withImports(file) } };
  return (question) => {
    const { fileByFilename = "", fileContainingSymbol = "", fileContainingExtension, allExtensionNumbersOfType = "" } = question;
    switch (question.messageRequest) {
      case "listServices":
        return { listServicesResponse: { service: services.map((name) => ({ name })) } };
      case "fileByFilename":
        return fileAnswer(registry.getFile(fileByFilename), fileByFilename);
      case "fileContainingSymbol":
        return fileAnswer(files.get(fileContainingSymbol), fileContainingSymbol);
      case "fileContainingExtension": {
        const { containingType = "", extensionNumber = 0 } = fileContainingExtension ?? {};
        const extendee = registry.getMessage(containingType);
        const extension = extendee && registry.getExtensionFor(extendee, extensionNumber);
        return fileAnswer(extension?.file, `extension ${extensionNumber} of ${containingType}`);
      }
      case "allExtensionNumbersOfType":
        return extensionNumbers(registry, allExtensionNumbersOfType);
      default:
        return failure(status.INVALID_ARGUMENT, "The request asks nothing.");
    }
  };
}

function extensionNumbers(registry: FileRegistry, baseTypeName: string): object {
  if (registry.getMessage(baseTypeName) === undefined) return notFound(baseTypeName);
  const extensionNumber = [...registry].flatMap((type) =>
    type.kind === "extension" && type.extendee.typeName === baseTypeName ? [type.number] : [],
  );
  return { allExtensionNumbersResponse: { baseTypeName, extensionNumber } };
}

/** Everything that has a full name, and the file that declares it. */
function filesOfSymbols(registry: FileRegistry): ReadonlyMap<string, DescFile> {
  const files = new Map<string, DescFile>();
  for (const type of registry) {
    files.set(type.typeName, type.file);
    const { typeName, file } = type;
    if (type.kind === "service") for (const { name } of type.methods) files.set(`${typeName}.${name}`, file);
    if (type.kind === "message") for (const { name } of [...type.fields, ...type.oneofs]) files.set(`${typeName}.${name}`, file);
    // The values of an enum stand beside it, not in it.
    if (type.kind === "enum") for (const { name } of type.values) files.set(typeName.replace(/[^.]+$/, name), file);
  }
  return files;
}

/** The descriptors of a file and of everything that it imports, so that nobody need ask again; each before what it imports itself. */
function withImports(file: DescFile): Uint8Array[] {
  const seen = new Set<DescFile>();
  const inward: DescFile[] = [];
  const visit = (one: DescFile): void => {
    if (seen.has(one)) return;
    seen.add(one);
    for (const imported of one.dependencies) visit(imported);
    inward.push(one);
  };
  visit(file);
  return inward.reverse().map((one) => toBinary(FileDescriptorProtoSchema, one.proto));
}

function notFound(asked: string): object {
  return failure(status.NOT_FOUND, `Not known: ${asked}`);
}

function failure(errorCode: number, errorMessage: string): object {
  return { errorResponse: { errorCode, errorMessage } };
}
