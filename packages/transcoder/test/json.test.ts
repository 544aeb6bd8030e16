import { afterAll, beforeAll, expect, test } from "vitest";
import { Library } from "./library.ts";

const library = new Library();

beforeAll(() => library.start());
afterAll(() => library.stop());

const seconds = (value: number) => ({ seconds: String(value) });

// JSON in → what the service got. The service decodes with protobufjs, which writes the bytes of 64-bit map keys as characters and has
// the members of Value in camelCase; what is not there was not on the wire.
test.each([
  ['{"aDouble":1.5,"aFloat":0.1}', { a_double: 1.5, a_float: Math.fround(0.1) }],
  ['{"aDouble":"1.5e3","aFloat":"-2"}', { a_double: 1500, a_float: -2 }],
  ['{"aDouble":"NaN","aFloat":"-Infinity"}', { a_double: Number.NaN, a_float: Number.NEGATIVE_INFINITY }],
  ['{"aDouble":-0}', { a_double: -0 }],
  ['{"aDouble":0,"anInt32":0,"aString":"","aBool":false,"anEnum":0,"someBytes":"","anInt64":"0"}', {}],
  ['{"anInt32":-2147483648,"aSint32":-1,"aSfixed32":-7}', { an_int32: -2147483648, a_sint32: -1, a_sfixed32: -7 }],
  ['{"aUint32":4294967295,"aFixed32":4294967295}', { a_uint32: 4294967295, a_fixed32: 4294967295 }],
  ['{"anInt32":1.0,"aUint32":1e3,"aSint32":"-20e-1"}', { an_int32: 1, a_uint32: 1000, a_sint32: -2 }],
  [
    '{"anInt64":"9223372036854775807","aSint64":"-9223372036854775808"}',
    { an_int64: "9223372036854775807", a_sint64: "-9223372036854775808" },
  ],
  ['{"anInt64":9007199254740993,"aUint64":18446744073709551615}', { an_int64: "9007199254740993", a_uint64: "18446744073709551615" }],
  ['{"aFixed64":"18446744073709551615","aSfixed64":-1}', { a_fixed64: "18446744073709551615", a_sfixed64: "-1" }],
  ['{"anInt64":1e18,"aUint64":"1.0"}', { an_int64: "1000000000000000000", a_uint64: "1" }],
  ['{"aString":"é\\u00e9\\ud83d\\ude00\\n\\"\\\\\\/"}', { a_string: 'éé😀\n"\\/' }],
  ['{"someBytes":"+/8="}', { some_bytes: Buffer.from([0xfb, 0xff]) }],
  ['{"someBytes":"-_8"}', { some_bytes: Buffer.from([0xfb, 0xff]) }],
  ['{"anEnum":"GENRE_POEM","enums":["GENRE_NOVEL",2,99]}', { an_enum: "GENRE_POEM", enums: ["GENRE_NOVEL", "GENRE_POEM", 99] }],
  ['{"otherName":"a"}', { renamed: "a" }],
  ['{"renamed":"a"}', { renamed: "a" }],
  [
    '{"maybeInt32":0,"maybeString":"","maybeBool":false,"maybeEnum":0}',
    { maybe_int32: 0, maybe_string: "", maybe_bool: false, maybe_enum: "GENRE_UNSPECIFIED" },
  ],
  ['{"maybeInt32":null,"aString":null,"aMessage":null,"strings":null,"stringMap":null,"timestamp":null,"int32Value":null}', {}],
  [
    '{"int32s":[0,-1,300],"int64s":["1",2],"unpacked":[1,-1],"bools":[true,false]}',
    { int32s: [0, -1, 300], int64s: ["1", "2"], unpacked: [1, -1], bools: [true, false] },
  ],
  [
    '{"strings":["",""],"messages":[{},{"row":1}],"bytesList":["AA=="]}',
    { strings: ["", ""], messages: [{}, { row: 1 }], bytes_list: [Buffer.from([0])] },
  ],
  ['{"stringMap":{"":"x","__proto__":"y"}}', { string_map: JSON.parse('{"":"x","__proto__":"y"}') as unknown }],
  [
    '{"int32Map":{"-5":{"row":1}},"boolMap":{"true":"GENRE_NOVEL"}}',
    { int32_map: { "-5": { row: 1 } }, bool_map: { true: "GENRE_NOVEL" } },
  ],
  ['{"uint64Map":{"18446744073709551615":"AA=="}}', { uint64_map: { ÿÿÿÿÿÿÿÿ: Buffer.from([0]) } }],
  ['{"choiceString":""}', { choice_string: "" }],
  ['{"choiceInt32":0,"choiceString":null}', { choice_int32: 0 }],
  ['{"choiceNull":null}', { choice_null: "NULL_VALUE" }],
  ['{"aMessage":{"aMessage":{"anInt32":7}}}', { a_message: { a_message: { an_int32: 7 } } }],
  ['{"timestamp":"2026-01-31T12:00:00.000000001+01:00"}', { timestamp: { ...seconds(1769857200), nanos: 1 } }],
  ['{"timestamp":"1969-12-31T23:59:59.5Z"}', { timestamp: { ...seconds(-1), nanos: 500_000_000 } }],
  [
    '{"timestamp":"0001-01-01T00:00:00Z","timestamps":["9999-12-31T23:59:59.999999999Z"]}',
    { timestamp: seconds(-62135596800), timestamps: [{ ...seconds(253402300799), nanos: 999_999_999 }] },
  ],
  ['{"duration":"-1.5s"}', { duration: { ...seconds(-1), nanos: -500_000_000 } }],
  ['{"duration":"0.000000001s"}', { duration: { nanos: 1 } }],
  ['{"fieldMask":"aB.cD,e"}', { field_mask: { paths: ["a_b.c_d", "e"] } }],
  ['{"fieldMask":""}', { field_mask: {} }],
  [
    '{"int32Value":0,"stringValue":"","boolValue":true,"int64Value":"-1"}',
    { int32_value: {}, string_value: {}, bool_value: { value: true }, int64_value: { value: "-1" } },
  ],
  [
    '{"doubleValue":"Infinity","bytesValue":"AA"}',
    { double_value: { value: Number.POSITIVE_INFINITY }, bytes_value: { value: Buffer.from([0]) } },
  ],
  [
    '{"struct":{"a":null,"b":[1,"x",true],"c":{"d":-2.5}}}',
    {
      struct: {
        fields: {
          a: { nullValue: "NULL_VALUE" },
          b: { listValue: { values: [{ numberValue: 1 }, { stringValue: "x" }, { boolValue: true }] } },
          c: { structValue: { fields: { d: { numberValue: -2.5 } } } },
        },
      },
    },
  ],
  [
    '{"value":null,"values":[null,0,"",false],"listValue":[]}',
    {
      value: { nullValue: "NULL_VALUE" },
      values: [{ nullValue: "NULL_VALUE" }, { numberValue: 0 }, { stringValue: "" }, { boolValue: false }],
      list_value: {},
    },
  ],
  ['{"valueMap":{"a":null}}', { value_map: { a: { nullValue: "NULL_VALUE" } } }],
  [
    '{"any":{"row":5,"@type":"type.googleapis.com/library.v1.Shelf"}}',
    { any: { type_url: "type.googleapis.com/library.v1.Shelf", value: Buffer.from([0x10, 5]) } },
  ],
  [
    '{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}',
    { any: { type_url: "type.googleapis.com/google.protobuf.Duration", value: Buffer.from([8, 1]) } },
  ],
  ['{"any":{}}', { any: {} }],
])("%s arrives", async (body, message) => {
  const answer = await library.call("POST", "/v1/echo", body);
  expect([answer.status, library.last], answer.text).toEqual([200, ["Echo", message]]);
});

test.each([
  ['{"aDouble":1e400}', "aDouble", "is out of range"],
  ['{"aFloat":3.5e38}', "aFloat", "is out of range"],
  ['{"aDouble":"nan"}', "aDouble", 'must be a number, "NaN", "Infinity" or "-Infinity"'],
  ['{"aDouble":[1]}', "aDouble", "must be a number, not a list"],
  ['{"anInt32":2147483648}', "anInt32", "must be between -2147483648 and 2147483647"],
  ['{"aUint32":-1}', "aUint32", "must be between 0 and 4294967295"],
  ['{"anInt64":"9223372036854775808"}', "anInt64", "must be between -9223372036854775808 and 9223372036854775807"],
  ['{"aUint64":"-1"}', "aUint64", "must be between 0 and 18446744073709551615"],
  ['{"anInt64":1e999999999}', "anInt64", "is out of range"],
  ['{"anInt64":"0x10"}', "anInt64", "must be an integer"],
  ['{"anInt64":" 1"}', "anInt64", "must be an integer"],
  ['{"anInt32":0.5}', "anInt32", "must be an integer"],
  ['{"aBool":"true"}', "aBool", "must be true or false, not a string"],
  ['{"aString":1}', "aString", "must be a string, not a number"],
  ['{"someBytes":"A"}', "someBytes", "must be base64"],
  ['{"someBytes":"A==="}', "someBytes", "must be base64"],
  ['{"anEnum":1.5}', "anEnum", "must be an integer"],
  ['{"anEnum":3000000000}', "anEnum", "is out of range"],
  ['{"anEnum":"2"}', "anEnum", "must be one of GENRE_UNSPECIFIED, GENRE_NOVEL, GENRE_POEM"],
  ['{"strings":"a"}', "strings", "must be a list, not a string"],
  ['{"strings":{}}', "strings", "must be a list, not an object"],
  ['{"messages":[{},{"row":"x"}]}', "messages[1].row", "must be an integer"],
  ['{"stringMap":[]}', "stringMap", "must be an object, not a list"],
  ['{"stringMap":{"a":null}}', 'stringMap["a"]', "must not be null"],
  ['{"int32Map":{"x":{}}}', 'int32Map["x"]', "the key must be an integer"],
  ['{"int32Map":{"2147483648":{}}}', 'int32Map["2147483648"]', "must be between -2147483648 and 2147483647"],
  ['{"boolMap":{"yes":0}}', 'boolMap["yes"]', "must be true or false"],
  ['{"int32Map":{"1":{"above":{"room":1}}}}', 'int32Map["1"].above.room', "must be a string, not a number"],
  ['{"choiceString":"a","choiceInt32":1}', "choiceInt32", "cannot be set together with choiceString: choice takes one of them"],
  ['{"aMessage":{"aMessage":{"nope":1}}}', "aMessage.aMessage.nope", "is not a field of library.v1.Everything"],
  ['{"timestamp":"2026-02-30T00:00:00Z"}', "timestamp", "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z"],
  ['{"timestamp":"2026-01-01T00:00:00"}', "timestamp", "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z"],
  ['{"timestamp":"0000-12-31T23:59:59Z"}', "timestamp", "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z"],
  ['{"timestamp":"2026-01-01T00:00:00.1234567890Z"}', "timestamp", "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z"],
  ['{"timestamp":{"seconds":1}}', "timestamp", "must be a string, not an object"],
  ['{"timestamps":["2026-01-01T00:00:00Z","x"]}', "timestamps[1]", "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z"],
  ['{"duration":"1"}', "duration", 'must be a duration in seconds, such as "1.5s"'],
  ['{"duration":"315576000001s"}', "duration", 'must be a duration in seconds, such as "1.5s"'],
  ['{"fieldMask":"a_b"}', "fieldMask", "must be the names of fields, separated by commas"],
  ['{"int32Value":{"value":1}}', "int32Value", "must be an integer, not an object"],
  ['{"struct":[]}', "struct", "must be an object, not a list"],
  ['{"struct":{"a":{"b":[1,{"c":1,"c":2}]}}}', 'struct["a"]["b"][1]["c"]', "is given twice"],
  ['{"value":1e400}', "value", "is out of range"],
  ['{"listValue":{}}', "listValue", "must be a list, not an object"],
  ['{"any":{"row":5}}', "any.@type", "is required"],
  ['{"any":{"@type":"type.googleapis.com/library.v1.Nope"}}', "any.@type", 'there is no message "type.googleapis.com/library.v1.Nope"'],
  ['{"any":{"@type":"library.v1.Shelf"}}', "any.@type", 'there is no message "library.v1.Shelf"'],
  ['{"any":{"@type":"t/library.v1.Shelf","row":"x"}}', "any.row", "must be an integer"],
  ['{"any":{"@type":"t/google.protobuf.Duration"}}', "any.value", "is required"],
])("%s is refused", async (body, field, description) => {
  const answer = await library.call("POST", "/v1/echo", body);
  expect(answer.json()).toMatchObject({ error: { code: 400, details: [{}, { fieldViolations: [{ field, description }] }] } });
});

test.each([
  ["messages", (depth: number) => `${'{"aMessage":'.repeat(depth)}{}${"}".repeat(depth)}`, 99],
  // A list in a Value is two messages more, an object three.
  ["lists", (depth: number) => `{"value":${"[".repeat(depth)}${"]".repeat(depth)}}`, 49],
  ["objects", (depth: number) => `{"struct":${'{"a":'.repeat(depth)}null${"}".repeat(depth)}}`, 33],
])("%s may be nested as deeply as decoders take, and no deeper", async (_, nested, deepest) => {
  expect((await library.call("POST", "/v1/echo", nested(deepest))).status).toBe(200);
  const answer = await library.call("POST", "/v1/echo", nested(deepest + 1));
  expect(answer.json()).toMatchObject({
    error: { code: 400, details: [{}, { fieldViolations: [{ description: "is nested too deeply" }] }] },
  });
});

// What the service says → JSON out, without the fields that hold their defaults.
const sparse = new Library();
beforeAll(() => sparse.start({ emitDefaults: false }));
afterAll(() => sparse.stop());

test.each([
  [{ a_double: 0.1, a_float: 0.1, an_int32: -5 }, '{"aDouble":0.1,"aFloat":0.1,"anInt32":-5}'],
  [{ a_double: Number.NaN, a_float: Number.NEGATIVE_INFINITY }, '{"aDouble":"NaN","aFloat":"-Infinity"}'],
  [{ a_float: 3.4028234663852886e38, a_double: 5e-324 }, '{"aDouble":5e-324,"aFloat":3.4028235e+38}'],
  [
    { an_int64: "-9223372036854775808", a_uint64: "18446744073709551615", a_sint64: "-9007199254740993" },
    '{"anInt64":"-9223372036854775808","aUint64":"18446744073709551615","aSint64":"-9007199254740993"}',
  ],
  [
    { a_fixed64: "1", a_sfixed64: "-1", a_fixed32: 4294967295, a_sfixed32: -1, a_sint32: -2147483648, a_uint32: 4294967295 },
    '{"aUint32":4294967295,"aSint32":-2147483648,"aFixed32":4294967295,"aSfixed32":-1,"aFixed64":"1","aSfixed64":"-1"}',
  ],
  [{ a_string: 'a"\\\n\u0001é😀', some_bytes: Buffer.from([251, 255]) }, '{"aString":"a\\"\\\\\\n\\u0001é😀","someBytes":"+/8="}'],
  [{ an_enum: "GENRE_POEM", enums: [0, 99] }, '{"anEnum":"GENRE_POEM","enums":["GENRE_UNSPECIFIED",99]}'],
  [
    { renamed: "a", maybe_int32: 0, maybe_string: "", maybe_bool: false, maybe_enum: 0 },
    '{"otherName":"a","maybeInt32":0,"maybeString":"","maybeBool":false,"maybeEnum":"GENRE_UNSPECIFIED"}',
  ],
  [
    { int32s: [1, -1], unpacked: [3, -3], strings: ["", "b"], messages: [{}, { row: 1 }] },
    '{"int32s":[1,-1],"strings":["","b"],"messages":[{},{"row":1}],"unpacked":[3,-3]}',
  ],
  [
    { string_map: { a: "b", '"': "" }, int32_map: { "-1": { row: 1 } }, bool_map: { true: 1 } },
    '{"stringMap":{"a":"b","\\"":""},"int32Map":{"-1":{"row":1}},"boolMap":{"true":"GENRE_NOVEL"}}',
  ],
  [{ choice_int32: 0 }, '{"choiceInt32":0}'],
  [{ choice_null: 0 }, '{"choiceNull":null}'],
  [{ a_message: {}, choice_message: { above: {} } }, '{"aMessage":{},"choiceMessage":{"above":{}}}'],
  [{ timestamp: { seconds: 0 }, duration: {}, field_mask: {} }, '{"timestamp":"1970-01-01T00:00:00Z","duration":"0s","fieldMask":""}'],
  [
    { timestamp: { seconds: -1, nanos: 120_000_000 }, duration: { seconds: -1, nanos: -1000 } },
    '{"timestamp":"1969-12-31T23:59:59.120Z","duration":"-1.000001s"}',
  ],
  [{ field_mask: { paths: ["a_b.c_d", "e"] } }, '{"fieldMask":"aB.cD,e"}'],
  [
    {
      int32_value: { value: 0 },
      string_value: { value: "s" },
      int64_value: { value: "5" },
      bool_value: {},
      bytes_value: { value: Buffer.from([1]) },
    },
    '{"int64Value":"5","int32Value":0,"boolValue":false,"stringValue":"s","bytesValue":"AQ=="}',
  ],
  [
    { struct: { fields: { a: { nullValue: 0 }, b: { listValue: { values: [{ numberValue: 1.5 }, {}] } }, c: { structValue: {} } } } },
    '{"struct":{"a":null,"b":[1.5,null],"c":{}}}',
  ],
  [{ value: { boolValue: true }, values: [{ stringValue: "x" }], list_value: {} }, '{"value":true,"listValue":[],"values":["x"]}'],
  [{ any: { type_url: "t.io/library.v1.Shelf", value: Buffer.from([0x10, 5]) } }, '{"any":{"@type":"t.io/library.v1.Shelf","row":5}}'],
  [
    { any: { type_url: "t.io/google.protobuf.Duration", value: Buffer.from([8, 1]) } },
    '{"any":{"@type":"t.io/google.protobuf.Duration","value":"1s"}}',
  ],
  [{ any: {} }, '{"any":{}}'],
])("%o is shown as its JSON", async (message, json) => {
  sparse.answers.set("Echo", message);
  const answer = await sparse.call("POST", "/v1/echo", {});
  expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([200, "application/json; charset=utf-8", json]);
});

test("fields without presence are shown even when they are empty, unless the options say otherwise", async () => {
  library.answers.set("ListBooks", { books: [{ id: "b1" }] });
  expect((await library.call("GET", "/v1/books")).json()).toEqual({
    books: [{ id: "b1", displayTitle: "", genre: "GENRE_UNSPECIFIED", authors: [], labels: {} }],
    nextPageToken: "",
  });
  library.answers.delete("ListBooks");
  expect((await library.call("GET", "/v1/books")).text).toBe('{"books":[],"nextPageToken":""}');
  expect((await sparse.call("GET", "/v1/books")).text).toBe("{}");
});

test("a response body that is one field is that field, there or not", async () => {
  library.answers.set("ListTitles", { titles: ["b", "a"] });
  expect((await library.call("GET", "/v1/titles")).text).toBe('["b","a"]');
  library.answers.set("ListTitles", {});
  expect((await library.call("GET", "/v1/titles")).text).toBe("[]");
  expect((await library.call("GET", "/v1/books/b1")).text).toBe("null");
});

test("google.protobuf.Empty is an empty object", async () => {
  expect((await library.call("DELETE", "/v1/books/b1")).text).toBe("{}");
});

test.each([
  [{ timestamp: { seconds: "253402300800" } }, "Timestamp"],
  [{ duration: { seconds: 1, nanos: -1 } }, "Duration"],
  [{ value: { numberValue: Number.NaN } }, "Value"],
  [{ any: { type_url: "t.io/library.v1.Nope", value: Buffer.from([8, 1]) } }, "library.v1.Nope"],
])("an answer that has no JSON is a fault on our side: %o", async (message, logged) => {
  library.answers.set("Echo", message);
  const answer = await library.call("POST", "/v1/echo", {});
  library.answers.delete("Echo");
  expect([answer.status, answer.json()]).toMatchObject([
    500,
    { error: { status: "INTERNAL", message: "Something went wrong on our side." } },
  ]);
  expect(library.logs.at(-1)).toContain(logged);
});
