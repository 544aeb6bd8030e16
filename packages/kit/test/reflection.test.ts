import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { create, createFileRegistry, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addReflection } from "../src/reflection.ts";

// As clients ask it. test/sdk/grpcurl.test.ts has the best known of them ask.

const services = ["chargemesh.charger.v1.ChargerService", "grpc.health.v1.Health"];
const protos = join(dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json")), "build/proto");

let server: Server;
let client: Client;
beforeAll(async () => {
  server = new Server();
  addReflection(server, services);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (err, bound) => (err === null ? resolve(bound) : reject(err)));
  });
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
});
afterAll(() => {
  client.close();
  server.forceShutdown();
});

/** A ServerReflectionResponse. */
interface Answer {
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] };
  errorResponse?: { errorCode: number; errorMessage: string };
  listServicesResponse?: { service: { name: string }[] };
  allExtensionNumbersResponse?: { baseTypeName: string; extensionNumber: number[] };
}

describe.each(["v1", "v1alpha"])("reflection %s", (version) => {
  const definition = loadSync(`grpc/reflection/${version}/reflection.proto`, { includeDirs: [protos] });
  const service = definition[`grpc.reflection.${version}.ServerReflection`];
  const rpc = service !== undefined && !("format" in service) ? service.ServerReflectionInfo : undefined;
  if (rpc === undefined) throw new Error("there is no such service");

  async function ask(...questions: object[]): Promise<Answer[]> {
    const call = client.makeBidiStreamRequest(rpc?.path ?? "", rpc?.requestSerialize ?? Buffer.from, (bytes) =>
      rpc?.responseDeserialize(bytes),
    );
    for (const question of questions) call.write(question);
    call.end();
    const answers: Answer[] = [];
    for await (const answer of call) answers.push(answer);
    return answers;
  }

  /** What one answer holds must be whole: a registry cannot be made of files that lack one another. */
  function registryOf(answer: Answer | undefined): FileRegistry {
    const file = (answer?.fileDescriptorResponse?.fileDescriptorProto ?? []).map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    // Who asks gets what was asked for first, and what that needs after it.
    return createFileRegistry(create(FileDescriptorSetSchema, { file: file.reverse() }));
  }

  test("the services are those that are served", async () => {
    const [answer] = await ask({ listServices: "*" });
    expect(answer?.listServicesResponse?.service.map(({ name }) => name)).toEqual(services);
  });

  test.each([
    "chargemesh.charger.v1.ChargerService",
    "chargemesh.charger.v1.ChargerService.GetCharger",
    "chargemesh.charger.v1.Charger.display_name",
    "chargemesh.charger.v1.Charger.Registration",
    "chargemesh.charger.v1.Charger.PENDING",
    "chargemesh.charger.v1.TransactionStopped",
    "chargemesh.rules.v1.access",
    "google.api.http",
    "google.api.HttpRule.pattern",
    "google.rpc.BadRequest",
    "grpc.health.v1.Health.Check",
  ])("%s comes with all that it needs", async (fileContainingSymbol) => {
    const [answer] = await ask({ fileContainingSymbol });
    const registry = registryOf(answer);
    const parent = fileContainingSymbol.replace(/\.[^.]+$/, "");
    expect(registry.get(fileContainingSymbol) ?? registry.get(parent)).toBeDefined();
  });

  test("options of our own and comments arrive", async () => {
    const [answer] = await ask({ fileByFilename: "chargemesh/charger/v1/charger_service.proto" });
    const [file] = answer?.fileDescriptorResponse?.fileDescriptorProto ?? [];
    const proto = fromBinary(FileDescriptorProtoSchema, file ?? Buffer.alloc(0));
    const [create] = proto.service[0]?.method ?? [];
    expect(create?.options?.$unknown?.map(({ no }) => no)).toEqual([50601, 72295728]);
    const comments = proto.sourceCodeInfo?.location.map(({ leadingComments }) => leadingComments);
    expect(comments).toContain(" The chargers of an operator.\n");
  });

  test("extensions are found by their number, and counted", async () => {
    const containingType = "google.protobuf.MethodOptions";
    const [access, none, all] = await ask(
      { fileContainingExtension: { containingType, extensionNumber: 50601 } },
      { fileContainingExtension: { containingType, extensionNumber: 1 } },
      { allExtensionNumbersOfType: containingType },
    );
    expect(registryOf(access).getExtension("chargemesh.rules.v1.access")).toBeDefined();
    expect(none?.errorResponse?.errorCode).toBe(5);
    expect(all?.allExtensionNumbersResponse?.baseTypeName).toBe(containingType);
    expect(all?.allExtensionNumbersResponse?.extensionNumber).toEqual(expect.arrayContaining([50601, 72295728]));
  });

  test("what is not known is said not to be, and the stream goes on", async () => {
    const answers = await ask(
      { fileContainingSymbol: "chargemesh.charger.v1.Nothing" },
      { fileByFilename: "nothing.proto" },
      { allExtensionNumbersOfType: "nothing" },
      {},
      { listServices: "" },
    );
    expect(answers.map(({ errorResponse }) => errorResponse?.errorCode)).toEqual([5, 5, 5, 3, undefined]);
  });
});
