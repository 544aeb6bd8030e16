import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createFileRegistry, type DescMessage, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { JsonCursor, JsonFault } from "../../src/json-cursor.ts";
import { makeReaders } from "../../src/json-reader.ts";
import { makeWriters } from "../../src/json-writer.ts";
import { readProtoFiles } from "../../src/proto-files.ts";
import { WireIn } from "../../src/wire-in.ts";
import { WireOut } from "../../src/wire-out.ts";

// Two codecs of the same protos: ours, and @bufbuild/protobuf with what buf makes of them. They have no line in common.

const buf = join(dirname(createRequire(import.meta.url).resolve("@bufbuild/buf/package.json")), "bin/buf");
const arguments_ = ["build", import.meta.dirname, "--config", '{"version":"v2"}', "--as-file-descriptor-set", "-o", "-"];
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, execFileSync(process.execPath, [buf, ...arguments_])));

const NAME = "every.v1.Everything";
const found = registry.getMessage(NAME);
const { types } = readProtoFiles([import.meta.dirname]);
const type = types(NAME);
if (found === undefined || type === undefined) throw new Error(`${NAME} is not there`);
export const everything: DescMessage = found;

const reader = makeReaders(types, false).message(type);
const writer = makeWriters(types, false).message(type);
const out = new WireOut();

/** What a codec makes of its input, or why it refuses it. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** What is thrown of another kind than `refusal` is a bug, and no refusal. */
function attempt<T>(work: () => T, refusal: abstract new (...args: never[]) => Error = Error): Outcome<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    if (!(error instanceof refusal)) throw error;
    return { ok: false, reason: error instanceof JsonFault ? `${error.path}: ${error.message}` : error.message };
  }
}

export const ours = {
  toBytes: (json: string): Outcome<Uint8Array> =>
    attempt(() => {
      const input = new JsonCursor(Buffer.from(json));
      out.reset();
      reader.content(input, out);
      input.finish();
      return out.take();
    }, JsonFault),
  toJson: (bytes: Uint8Array): Outcome<string> => attempt(() => writer.json(new WireIn(Buffer.from(bytes)), bytes.length), RangeError),
};

export const theirs = {
  toBytes: (json: string): Outcome<Uint8Array> => attempt(() => toBinary(everything, fromJsonString(everything, json, { registry }))),
  toJson: (bytes: Uint8Array): Outcome<string> => attempt(() => toJsonString(everything, fromBinary(everything, bytes), { registry })),
  /** The same message with its fields in one order, so that two encodings of it can be compared. */
  canonical: (bytes: Uint8Array): Outcome<string> =>
    attempt(() => Buffer.from(toBinary(everything, fromBinary(everything, bytes))).toString("base64")),
};
