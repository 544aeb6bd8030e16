// Writes packages/contracts/gen/descriptors.binpb, for server reflection: our .proto files with what they import, the details of errors, and
// grpc.health.v1. Options and our own comments are in it, so that `grpcurl describe` shows them; the comments of others, which are most of
// the bytes, are not.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { descriptorSet } from "@chargemesh/contracts/descriptors";

// Nothing of ours imports the details of errors, but every failure holds some.
const details = "node_modules/google-proto-files/google/rpc/error_details.proto";
const files = [
  ...descriptorsOf("--path", "proto/chargemesh", "--path", details),
  ...descriptorsOf("packages/kit/node_modules/grpc-health-check/proto"),
];
for (const file of files) if (!file.name.startsWith("chargemesh/")) delete file.sourceCodeInfo;
writeFileSync(descriptorSet, toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: files })));

function descriptorsOf(...args: string[]): FileDescriptorProto[] {
  const image = execFileSync("buf", ["build", ...args, "--as-file-descriptor-set", "-o", "-"], { maxBuffer: 2 ** 26 });
  return fromBinary(FileDescriptorSetSchema, image).file;
}
