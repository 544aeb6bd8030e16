// A plugin for buf that writes what protoc-gen-es leaves out: `services.ts`, every service under the name that clients call it by, and a
// module for each package, so that `@chargemesh/client/charger/v1` has all of it.

import { createEcmaScriptPlugin, type GeneratedFile, runNodeJs, type Schema, safeIdentifier } from "@bufbuild/protoplugin";

const ROOT = "chargemesh";

runNodeJs(createEcmaScriptPlugin({ name: "protoc-gen-chargemesh", version: "v1", generateTs }));

function generateTs(schema: Schema): void {
  const files = schema.files.filter((file) => file.proto.package.startsWith(`${ROOT}.`));
  const byPackage = Map.groupBy(files, (file) => file.proto.package.replaceAll(".", "/"));
  for (const [folder, members] of byPackage) {
    const module = schema.generateFile(`${folder}.ts`);
    for (const file of members) module.print(`export * from "./${relative(folder, file.name)}_pb.js";`);
  }
  printServices(schema.generateFile(`${ROOT}/services.ts`), files);
}

function printServices(out: GeneratedFile, files: Schema["files"]): void {
  const services = files.flatMap((file) => file.services).sort((a, b) => (a.name < b.name ? -1 : 1));
  out.print("/** Every service, under the name of what it is about: ChargerService is `chargers`. */");
  out.print("export const services = {");
  for (const service of services) {
    out.print("  ", plural(service.name), ": ", out.importSchema(service), ",");
  }
  out.print("} as const;");
  out.print();
  out.print("/** Every message, for what a google.protobuf.Any may hold. */");
  out.print("export const registry = ", out.import("createRegistry", "@bufbuild/protobuf"), "(");
  for (const file of files) out.print("  ", out.importSchema(file), ",");
  out.print(");");
}

/** ChargerService → chargers. */
function plural(service: string): string {
  const noun = service.replace(/Service$/, "");
  return safeIdentifier(`${noun.charAt(0).toLowerCase()}${noun.slice(1)}s`);
}

/** The file as a module beside the folder of its package names it. */
function relative(folder: string, file: string): string {
  return `${folder.split("/").at(-1)}/${file.slice(folder.length + 1)}`;
}
