import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { createFileRegistry, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { protoDirs } from "@chargemesh/contracts/proto-dirs";
import { JsonCursor } from "@chargemesh/transcoder/json-cursor";
import { makeReaders } from "@chargemesh/transcoder/json-reader";
import { makeWriters } from "@chargemesh/transcoder/json-writer";
import { readProtoFiles } from "@chargemesh/transcoder/proto-files";
import { WireIn } from "@chargemesh/transcoder/wire-in";
import { WireOut } from "@chargemesh/transcoder/wire-out";

const MESSAGE = "chargemesh.charger.v1.ListChargersResponse";
const ROUNDS = 9;
const ROUND_MS = 300;

/** How many times as many messages a second as `@bufbuild/protobuf` the transcoder's codec does, in each direction: medians of interleaved rounds. */
export async function codecRatios(json: string): Promise<{ toJson: number; fromJson: number }> {
  const root = join(import.meta.dirname, "../..");
  const set = execFileSync("buf", ["build", "--path", "proto/chargemesh/charger", "-o", "-#format=binpb"], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
  const theirs = registry.getMessage(MESSAGE);
  const { types } = readProtoFiles(protoDirs.slice(0, 1));
  const type = types(MESSAGE);
  if (theirs === undefined || type === undefined) throw new Error(`${MESSAGE} is not in the protos`);
  const reader = makeReaders(types, false).message(type);
  // As the oracle has it, so that both write the same.
  const writer = makeWriters(types, false).message(type);
  const text = Buffer.from(json);
  const bytes = Buffer.from(toBinary(theirs, fromJsonString(theirs, json)));
  const out = new WireOut();
  const ours = {
    toJson: () => writer.json(new WireIn(bytes), bytes.length).length,
    fromJson: () => {
      out.pos = 0;
      reader.content(new JsonCursor(text), out);
      return out.pos;
    },
  };
  const oracle = {
    toJson: () => toJsonString(theirs, fromBinary(theirs, bytes)).length,
    // The gateway gets bytes, too.
    fromJson: () => toBinary(theirs, fromJsonString(theirs, text.toString())).length,
  };
  if (ours.fromJson() !== bytes.length || oracle.fromJson() !== bytes.length) throw new Error("the two codecs do not agree");
  return { toJson: ratio(ours.toJson, oracle.toJson), fromJson: ratio(ours.fromJson, oracle.fromJson) };
}

function ratio(ours: () => number, theirs: () => number): number {
  perSecond(ours);
  perSecond(theirs);
  const ratios = Array.from({ length: ROUNDS }, () => perSecond(ours) / perSecond(theirs));
  return ratios.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

function perSecond(work: () => number): number {
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < ROUND_MS; count += 10) for (let i = 0; i < 10; i++) work();
  return (count / (performance.now() - start)) * 1000;
}
