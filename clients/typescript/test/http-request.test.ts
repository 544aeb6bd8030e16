import { create, createFileRegistry, type DescMethod, type JsonObject, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import {
  type FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  MethodOptionsSchema,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { http } from "../dist/gen/google/api/annotations_pb.js";
import { HttpRuleSchema } from "../dist/gen/google/api/http_pb.js";
import { httpRequest } from "../dist/src/http-request.js";

// What google.api.http can say, whether or not an rpc of ours says it yet.

type Rule = MessageInitShape<typeof HttpRuleSchema>;
type FieldInit = MessageInitShape<typeof FieldDescriptorProtoSchema>;

const fields: FieldInit[] = [
  { name: "book_name", jsonName: "bookName", number: 1, label: Label.OPTIONAL, type: Type.STRING },
  { name: "tags", jsonName: "tags", number: 2, label: Label.REPEATED, type: Type.STRING },
  // A message of its own kind, so that fields can be nested as deep as one likes.
  { name: "inner_book", jsonName: "innerBook", number: 3, label: Label.OPTIONAL, type: Type.MESSAGE, typeName: ".test.Book" },
];

/** An rpc from Book to Book with that rule. */
function rpc(rule: Rule): DescMethod {
  const options = create(MethodOptionsSchema);
  setExtension(options, http, create(HttpRuleSchema, rule));
  const file = create(FileDescriptorProtoSchema, {
    name: "test.proto",
    package: "test",
    syntax: "proto3",
    messageType: [{ name: "Book", field: fields }],
    service: [{ name: "Books", method: [{ name: "Get", inputType: ".test.Book", outputType: ".test.Book", options }] }],
  });
  const method = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService("test.Books")?.methods[0];
  if (method === undefined) throw new Error("the rpc was not read");
  return method;
}

const book: JsonObject = { bookName: "a/b c", tags: ["x", "y&z"], innerBook: { bookName: "in", innerBook: { bookName: "deep" } } };
const get = (value: string): Rule => ({ pattern: { case: "get", value } });

test.each<[string, Rule, string, unknown]>([
  [
    "what is not in the path is in the query",
    get("/v1/{book_name}"),
    "GET /v1/a%2Fb%20c?tags=x&tags=y%26z&innerBook.bookName=in&innerBook.innerBook.bookName=deep",
    undefined,
  ],
  [
    "a variable of several segments keeps its slashes",
    get("/v1/{book_name=**}/z"),
    "GET /v1/a/b%20c/z?tags=x&tags=y%26z&innerBook.bookName=in&innerBook.innerBook.bookName=deep",
    undefined,
  ],
  [
    "variables may be nested, and verbs follow",
    get("/v1/{inner_book.inner_book.book_name=*}/{inner_book.book_name}:look"),
    "GET /v1/deep/in:look?bookName=a%2Fb+c&tags=x&tags=y%26z",
    undefined,
  ],
  [
    "the body is the rest",
    { pattern: { case: "put", value: "/v1/{inner_book.book_name}" }, body: "*" },
    "PUT /v1/in",
    { bookName: "a/b c", tags: ["x", "y&z"], innerBook: { innerBook: { bookName: "deep" } } },
  ],
  [
    "the body is one field",
    { pattern: { case: "custom", value: { kind: "SEARCH", path: "/v1/{inner_book.book_name}" } }, body: "inner_book" },
    "SEARCH /v1/in?bookName=a%2Fb+c&tags=x&tags=y%26z",
    { innerBook: { bookName: "deep" } },
  ],
])("%s", (_what, rule, request, body) => {
  const { method, target, body: sent } = httpRequest(rpc(rule), book);
  expect([`${method} ${target}`, sent === undefined ? undefined : JSON.parse(sent)]).toEqual([request, body]);
  expect(book).toHaveProperty("innerBook.innerBook.bookName", "deep");
});

test("the field of the answer is named as in JSON", () => {
  expect(httpRequest(rpc({ ...get("/v1/a"), responseBody: "inner_book" }), {}).responseField).toBe("innerBook");
  expect(httpRequest(rpc(get("/v1/a")), {})).toEqual({ method: "GET", target: "/v1/a", body: undefined, responseField: undefined });
});

test("a field that is not there cannot be in the path", () => {
  expect(() => httpRequest(rpc(get("/v1/{inner_book.book_name}")), { innerBook: {} })).toThrow("inner_book.book_name cannot be");
  expect(() => httpRequest(rpc(get("/v1/{inner_book.book_name}")), {})).toThrow("inner_book.book_name cannot be");
  expect(() => httpRequest(rpc(get("/v1/{book_name=**}")), { bookName: "a/../b" })).toThrow("is part of the path");
});
