import { afterAll, beforeAll, expect, test } from "vitest";
import { Library } from "./library.ts";

const library = new Library();

beforeAll(() => library.start({ bodyLimit: 2000 }));
afterAll(() => library.stop());

const badRequest = (reason: string, message: string, field?: string, description?: string) => ({
  error: {
    code: 400,
    status: "INVALID_ARGUMENT",
    message,
    details: [
      { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "library" },
      ...(field === undefined ? [] : [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ field, description }] }]),
    ],
  },
});

test.each([
  // body "*": the whole request
  ["POST", "/v1/books/b1:lend", '{"reader":"Ada","days":3}', "LendBook", { id: "b1", reader: "Ada", days: 3 }],
  ["POST", "/v1/books/b1:lend", "{}", "LendBook", { id: "b1" }],
  ["POST", "/v1/books/b1:lend", undefined, "LendBook", { id: "b1" }],
  ["POST", "/v1/books/b1:lend", '{"id":"other"}', "LendBook", { id: "b1" }],
  // a body that is one field
  ["POST", "/v1/books", '{"id":"b1","displayTitle":"T"}', "CreateBook", { book: { id: "b1", display_title: "T" } }],
  ["POST", "/v1/books", '{"display_title":"T"}', "CreateBook", { book: { display_title: "T" } }],
  ["POST", "/v1/books?requestId=r1", '{"id":"b1"}', "CreateBook", { book: { id: "b1" }, request_id: "r1" }],
  ["POST", "/v1/books", "{}", "CreateBook", { book: {} }],
  ["POST", "/v1/books", undefined, "CreateBook", {}],
  ["POST", "/v1/books", "null", "CreateBook", {}],
  ["POST", "/v1/titles:sort", '["b","a"]', "SortTitles", { titles: ["b", "a"] }],
  // PATCH: the path reaches into the body, and the body is its own update_mask
  [
    "PATCH",
    "/v1/books/b1",
    '{"displayTitle":"T"}',
    "UpdateBook",
    { book: { id: "b1", display_title: "T" }, update_mask: { paths: ["display_title"] } },
  ],
  [
    "PATCH",
    "/v1/books/b1",
    '{"id":"x","shelf":{"room":"n","above":{"row":1}},"authors":null,"labels":{"a":"b"},"edition":0,"publishTime":"2026-01-01T00:00:00Z"}',
    "UpdateBook",
    {
      book: {
        id: "b1",
        shelf: { room: "n", above: { row: 1 } },
        labels: { a: "b" },
        edition: 0,
        publish_time: { seconds: "1767225600" },
      },
      update_mask: { paths: ["shelf.room", "shelf.above.row", "authors", "labels", "edition", "publish_time"] },
    },
  ],
  ["PATCH", "/v1/books/b1", '{"shelf":{}}', "UpdateBook", { book: { id: "b1", shelf: {} }, update_mask: { paths: ["shelf"] } }],
  ["PATCH", "/v1/books/b1", "{}", "UpdateBook", { book: { id: "b1" } }],
  ["PATCH", "/v1/books/b1", undefined, "UpdateBook", { book: { id: "b1" } }],
  [
    "PATCH",
    "/v1/books/b1?updateMask=displayTitle,shelf.row",
    '{"genre":"GENRE_POEM"}',
    "UpdateBook",
    { book: { id: "b1", genre: "GENRE_POEM" }, update_mask: { paths: ["display_title", "shelf.row"] } },
  ],
  // no body
  ["DELETE", "/v1/books/b1", "{}", "DeleteBook", { id: "b1" }],
])("%s %s %s arrives whole", async (method, path, body, rpc, message) => {
  const answer = await library.call(method, path, body);
  expect([answer.status, library.last], answer.text).toEqual([200, [rpc, message]]);
});

test.each([
  ["pageSize=5&pageToken=a%2Bb+c", { page_size: 5, page_token: "a+b c" }],
  ["page_size=5", { page_size: 5 }],
  ["authors=Ada&authors=Eco", { authors: ["Ada", "Eco"] }],
  ["rows=1&rows=-2", { rows: [1, -2] }],
  ["genre=GENRE_POEM", { genre: "GENRE_POEM" }],
  ["genre=2", { genre: "GENRE_POEM" }],
  ["lent=false", { lent: false }],
  ["since=-9223372036854775808", { since: "-9223372036854775808" }],
  ["digest=_-8", { digest: Buffer.from([255, 239]) }],
  ["filter.publishedAfter=2026-01-01T00:00:00.5Z", { filter: { published_after: { seconds: "1767225600", nanos: 500_000_000 } } }],
  ["filter.row=0&filter.genres=GENRE_NOVEL&filter.genres=2", { filter: { row: {}, genres: ["GENRE_NOVEL", "GENRE_POEM"] } }],
  ["filter.shelf.room=n&filter.shelf.above.row=3&filter.author=A", { filter: { shelf: { room: "n", above: { row: 3 } }, author: "A" } }],
  ["pageToken=&&", {}],
  ["pageToken", {}],
])("?%s is a message", async (query, message) => {
  const answer = await library.call("GET", `/v1/books?${query}`);
  expect([answer.status, library.last], answer.text).toEqual([200, ["ListBooks", message]]);
});

test.each([
  ["/v1/books?nope=1", "UNKNOWN_FIELD", "nope", "is not a parameter of this call"],
  ["/v1/books?filter.nope=1", "UNKNOWN_FIELD", "filter.nope", "is not a parameter of this call"],
  ["/v1/books?pageSize.x=1", "UNKNOWN_FIELD", "pageSize.x", "is not a parameter of this call"],
  ["/v1/books?__proto__=1", "UNKNOWN_FIELD", "__proto__", "is not a parameter of this call"],
  ["/v1/books?pageSize=a", "INVALID_FIELD", "pageSize", "must be an integer"],
  ["/v1/books?pageSize=", "INVALID_FIELD", "pageSize", "must be an integer"],
  ["/v1/books?page_size=2147483648", "INVALID_FIELD", "page_size", "must be between -2147483648 and 2147483647"],
  ["/v1/books?pageSize=1&pageSize=2", "INVALID_FIELD", "pageSize", "may be given once"],
  ["/v1/books?pageSize=1&page_size=1", "INVALID_FIELD", "page_size", "is given twice, by both of its names"],
  ["/v1/books?genre=NOPE", "INVALID_FIELD", "genre", "must be one of GENRE_UNSPECIFIED, GENRE_NOVEL, GENRE_POEM"],
  ["/v1/books?lent=yes", "INVALID_FIELD", "lent", "must be true or false"],
  ["/v1/books?digest=!", "INVALID_FIELD", "digest", "must be base64"],
  [
    "/v1/books?filter.publishedAfter=today",
    "INVALID_FIELD",
    "filter.publishedAfter",
    "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z",
  ],
  ["/v1/books?filter=1", "INVALID_FIELD", "filter", "cannot be given in a URL"],
  ["/v1/books?labels=1", "INVALID_FIELD", "labels", "cannot be given in a URL"],
  ["/v1/books?shelves=1", "INVALID_FIELD", "shelves", "cannot be given in a URL"],
  [
    "/v1/books?filter.author=a&filter.publisher=b",
    "INVALID_FIELD",
    "filter.publisher",
    "cannot be set together with author: by takes one of them",
  ],
  ["/v1/books?pageToken=%zz", "INVALID_FIELD", "%zz", "is not percent-encoded UTF-8"],
  ["/v1/books?pageToken=%ff", "INVALID_FIELD", "%ff", "is not percent-encoded UTF-8"],
  ["/v1/books/b1?id=b2", "INVALID_FIELD", "id", "is taken from the path, not from the query"],
  ["/v1/rooms/n/rows/x/books/b1", "INVALID_FIELD", "shelf.row", "must be an integer"],
])("GET %s is refused", async (path, reason, field, description) => {
  const before = library.asked.length;
  const answer = await library.call("GET", path);
  expect([answer.status, answer.json()]).toEqual([400, badRequest(reason, `${field} ${description}.`, field, description)]);
  expect(library.asked.length).toBe(before);
});

test.each([
  ["POST", "/v1/books/b1:lend", '{"redaer":"Ada"}', "UNKNOWN_FIELD", "redaer", "is not a field of library.v1.LendBookRequest"],
  ["POST", "/v1/books/b1:lend", '{"reader":{"a":1}}', "INVALID_FIELD", "reader", "must be a string, not an object"],
  ["POST", "/v1/books/b1:lend", '{"reader":7}', "INVALID_FIELD", "reader", "must be a string, not a number"],
  ["POST", "/v1/books/b1:lend", '{"days":true}', "INVALID_FIELD", "days", "must be an integer, not a boolean"],
  ["POST", "/v1/books/b1:lend", '{"days":1,"days":2}', "INVALID_FIELD", "days", "is given twice"],
  ["POST", "/v1/books/b1:lend?reader=Ada", "{}", "INVALID_FIELD", "reader", "is taken from the body, not from the query"],
  ["POST", "/v1/books", '{"display_title":"a","displayTitle":"b"}', "INVALID_FIELD", "displayTitle", "is given twice"],
  ["POST", "/v1/books?book.id=x", "{}", "INVALID_FIELD", "book.id", "is taken from the body, not from the query"],
  ["POST", "/v1/books", '{"authors":["a",2]}', "INVALID_FIELD", "authors[1]", "must be a string, not a number"],
  ["POST", "/v1/books", '{"authors":[null]}', "INVALID_FIELD", "authors[0]", "must not be null"],
  ["POST", "/v1/books", '{"shelf":{"above":{"row":1.5}}}', "INVALID_FIELD", "shelf.above.row", "must be an integer"],
  ["POST", "/v1/books", '{"labels":{"a b":1}}', "INVALID_FIELD", 'labels["a b"]', "must be a string, not a number"],
  ["POST", "/v1/books", '{"labels":{"a":"1","a":"2"}}', "INVALID_FIELD", 'labels["a"]', "is given twice"],
  ["POST", "/v1/books", '{"genre":"NOPE"}', "INVALID_FIELD", "genre", "must be one of GENRE_UNSPECIFIED, GENRE_NOVEL, GENRE_POEM"],
])("%s %s %s is refused with the path in it", async (method, path, body, reason, field, description) => {
  const before = library.asked.length;
  const answer = await library.call(method, path, body);
  expect([answer.status, answer.json()]).toEqual([400, badRequest(reason, `${field} ${description}.`, field, description)]);
  expect(library.asked.length).toBe(before);
});

test.each([
  ["[]", "The body must be an object, not a list."],
  ["null", "The body must be an object, not null."],
  ['"x"', "The body must be an object, not a string."],
])("a body of %s is refused where an object belongs", async (body, message) => {
  const answer = await library.call("POST", "/v1/echo", body);
  expect([answer.status, answer.json()]).toMatchObject([400, { error: { message } }]);
});

test.each([
  ["{", "expected a string", 1],
  ['{"aString"', 'expected ":"', 10],
  ['{"aString":"x"', 'expected "," or "}"', 14],
  ['{"aString":"x",}', "expected a string", 15],
  ['{"aString":"x"} {}', "something follows the value", 16],
  ["{'aString':1}", "expected a string", 1],
  ['{"aString":"a\nb"}', "a control character in a string", 13],
  ['{"aString":"\\x"}', "a bad escape in a string", 12],
  ['{"aString":"\\ud800"}', "half of a surrogate pair in a string", 12],
  ['{"aString":"x', "the string does not end", 13],
  ['{"anInt32":01}', "expected a value", 11],
  ['{"anInt32":1.}', "expected a value", 11],
  ['{"anInt32":+1}', "expected a value", 11],
  ['{"anInt32":}', "expected a value", 11],
  ['{"aBool":tru}', "expected a value", 9],
  ['{"anInt32":NaN}', "expected a value", 11],
  ['{"int32s":[1,]}', "expected a value", 13],
  ['{"aDouble":1e}', "expected a value", 11],
  [`{"nope":${"[".repeat(301)}`, "nested deeper than 300", 308],
])("malformed JSON %s names the byte", async (body, what, at) => {
  const answer = await library.call("POST", "/v1/echo", body);
  expect([answer.status, answer.json()]).toEqual([400, badRequest("MALFORMED_JSON", `Malformed JSON at byte ${at}: ${what}.`)]);
});

test("a body that is not UTF-8 is refused", async () => {
  const answer = await library.call("POST", "/v1/echo", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]));
  expect(answer.json()).toEqual(badRequest("MALFORMED_JSON", "The JSON is not valid UTF-8."));
});

test("a body where none belongs is refused", async () => {
  const answer = await library.call("DELETE", "/v1/books/b1", { id: "b2" });
  expect([answer.status, answer.json()]).toMatchObject([400, { error: { message: "The body is not wanted by this call." } }]);
});

test.each([
  [{ "content-type": "text/plain" }, 415],
  [{ "content-type": "application/x-www-form-urlencoded" }, 415],
  [{ "content-type": "application/json; charset=iso-8859-1" }, 415],
  [{ "content-encoding": "gzip" }, 415],
  [{ "content-type": "application/json; charset=UTF-8" }, 200],
  [{ "content-type": "application/vnd.library+json" }, 200],
])("a JSON body with %o is answered %i", async (headers, status) => {
  const answer = await library.call("POST", "/v1/books/b1:lend", {}, headers);
  expect(answer.status).toBe(status);
  if (status === 415)
    expect(answer.json()).toMatchObject({
      error: { code: 415, status: "INVALID_ARGUMENT", details: [{ reason: "UNSUPPORTED_MEDIA_TYPE" }] },
    });
});

test("a body over the limit is refused with 413", async () => {
  const answer = await library.call("POST", "/v1/echo", { aString: "x".repeat(2000) });
  expect([answer.status, answer.json()]).toMatchObject([
    413,
    { error: { code: 413, status: "INVALID_ARGUMENT", details: [{ reason: "BODY_TOO_LARGE", domain: "library" }] } },
  ]);
});

test("an Accept that JSON does not meet is answered 406", async () => {
  const answer = await library.call("GET", "/v1/books", undefined, { accept: "text/html, application/json;q=0" });
  expect([answer.status, answer.json()]).toMatchObject([406, { error: { details: [{ reason: "NOT_ACCEPTABLE" }] } }]);
  expect((await library.call("GET", "/v1/books", undefined, { accept: "text/html, */*;q=0.1" })).status).toBe(200);
});

test("bytes come and go as they are in a google.api.HttpBody", async () => {
  library.answers.set("ReadFile", { content_type: "image/png", data: Buffer.from([1, 2, 3]) });
  library.answers.set("WriteFile", { path: "a/b", size: "3" });
  const read = await library.call("GET", "/v1/files/a.png", undefined, { accept: "image/*" });
  expect([read.status, read.headers["content-type"], Buffer.from(read.text)]).toEqual([200, "image/png", Buffer.from([1, 2, 3])]);
  const written = await library.call("PUT", "/v1/files/a/b?overwrite=true", Buffer.from([0, 255, 7]), { "content-type": "image/png" });
  expect([written.status, written.json()]).toEqual([200, { path: "a/b", size: "3" }]);
  expect(library.last).toEqual([
    "WriteFile",
    { path: "a/b", file: { content_type: "image/png", data: Buffer.from([0, 255, 7]) }, overwrite: true },
  ]);
});

test("unknown members and parameters pass where the options say so", async () => {
  const lenient = new Library();
  await lenient.start({ unknownFields: "ignore" });
  try {
    const answer = await lenient.call("POST", "/v1/books?nope=1", '{"id":"b1","nope":[{"a":"\\u0041"},1.5e3,null],"displayTitle":"T"}');
    expect([answer.status, lenient.last]).toEqual([200, ["CreateBook", { book: { id: "b1", display_title: "T" } }]]);
    expect((await lenient.call("POST", "/v1/books", '{"nope":[1,}')).status).toBe(400);
  } finally {
    await lenient.stop();
  }
});
