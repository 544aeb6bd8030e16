import { join } from "node:path";

/** A google.protobuf.FileDescriptorSet with every .proto file of ours, what these import, and grpc.health.v1. */
export const descriptorSet: string = join(import.meta.dirname, "../gen/descriptors.binpb");
