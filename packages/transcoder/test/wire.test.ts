import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Library } from "./library.ts";

// A service that answers with bytes as other encoders, and broken ones, may write them.
const server = new Server();
const library = new Library();
let answer = Buffer.alloc(0);

beforeAll(async () => {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const codecs = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };
  const echo = { path: "/library.v1.LibraryService/Echo", requestStream: false, responseStream: false, ...codecs };
  server.addService({ Echo: echo }, { Echo: (_call: unknown, done: (error: null, bytes: Buffer) => void) => done(null, answer) });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  await library.start({ upstreams: { "*": `127.0.0.1:${port}` }, emitDefaults: false });
});
afterAll(async () => {
  await library.stop();
  server.forceShutdown();
});

const tag = (field: number, wire: number): number[] => {
  const value = (field << 3) | wire;
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
};

test.each([
  [
    "a message in two pieces is one",
    [...tag(17, 2), 2, 0x18, 5, ...tag(3, 0), 1, ...tag(17, 2), 3, 0x72, 1, 0x61],
    '{"anInt32":1,"aMessage":{"anInt32":5,"aString":"a"}}',
  ],
  ["of a scalar that comes twice, the last counts", [0x18, 1, 0x18, 2], '{"anInt32":2}'],
  ["of two members of a oneof, the last counts", [...tag(50, 2), 1, 0x61, ...tag(51, 0), 7], '{"choiceInt32":7}'],
  [
    "a packed field may come unpacked, and the other way round",
    [...tag(30, 0), 1, ...tag(30, 2), 2, 2, 3, ...tag(35, 2), 2, 1, 2],
    '{"int32s":[1,2,3],"unpacked":[-1,1]}',
  ],
  ["an empty packed list is an empty list", [...tag(30, 2), 0, ...tag(30, 0), 4, ...tag(30, 2), 0], '{"int32s":[4]}'],
  [
    "an entry of a map may lack key and value",
    [...tag(40, 2), 0, ...tag(41, 2), 2, 0x08, 3, ...tag(42, 2), 0],
    '{"stringMap":{"":""},"int32Map":{"3":{}},"boolMap":{"false":"GENRE_UNSPECIFIED"}}',
  ],
  [
    "fields that nobody knows are passed over",
    [
      ...tag(900, 0),
      1,
      ...tag(900, 1),
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      ...tag(901, 2),
      1,
      0,
      ...tag(902, 5),
      1,
      2,
      3,
      4,
      ...tag(903, 3),
      0x08,
      1,
      ...tag(903, 4),
      0x18,
      9,
    ],
    '{"anInt32":9}',
  ],
  ["a field of another wire type is passed over", [...tag(3, 2), 1, 0, ...tag(14, 0), 1, ...tag(13, 0), 1], '{"aBool":true}'],
  [
    "a negative int32 takes ten bytes, or five",
    [0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, ...tag(16, 0), 0xff, 0xff, 0xff, 0xff, 0x0f],
    '{"anInt32":-1,"anEnum":-1}',
  ],
  [
    "a Value in two pieces is one, if both are objects or lists",
    [
      ...[...tag(64, 2), 9, 0x2a, 7, 0x0a, 5, 0x0a, 1, 0x61, 0x12, 0],
      ...[...tag(64, 2), 9, 0x2a, 7, 0x0a, 5, 0x0a, 1, 0x62, 0x12, 0],
      ...[...tag(68, 2), 8, 0x32, 2, 0x0a, 0, 0x32, 2, 0x0a, 0],
    ],
    '{"value":{"a":null,"b":null},"values":[[null,null]]}',
  ],
  ["a wrapper without its value holds the default", [...tag(72, 2), 0, ...tag(77, 2), 0], '{"int64Value":"0","stringValue":""}'],
])("%s", async (_, bytes, json) => {
  answer = Buffer.from(bytes);
  const { status, text } = await library.call("POST", "/v1/echo", {});
  expect([status, text]).toEqual([200, json]);
});

test.each([
  ["ends in a tag", [0xff]],
  ["ends in a varint", [0x18, 0xff]],
  ["ends in a string", [0x72, 5, 0x61]],
  ["ends in a double", [0x09, 1, 2]],
  ["ends in a message", [...tag(17, 2), 3, 0x18]],
  ["has a field that is longer than its message", [...tag(17, 2), 2, 0x72, 2, 0x18, 1]],
  ["has a varint of eleven bytes", [0x18, ...Array.from({ length: 10 }, () => 0xff), 1]],
  ["has a wire type that is none", [0x1f, 1]],
  ["has a field of number 0", [0x00, 1]],
  ["has a tag of more than 32 bits", [0x98, 0x80, 0x80, 0x80, 0x10, 1]],
  ["has text that is not UTF-8", [0x72, 1, 0xff]],
  ["has a key that is not UTF-8", [...tag(40, 2), 3, 0x0a, 1, 0xff]],
])("a message that %s is a fault on our side", async (_, bytes) => {
  answer = Buffer.from(bytes);
  const { status, json } = await library.call("POST", "/v1/echo", {});
  expect([status, json()]).toMatchObject([500, { error: { status: "INTERNAL", message: "Something went wrong on our side." } }]);
});
