import { Metadata, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Library } from "./library.ts";

// ETag, If-Match and If-None-Match (RFC 9110, 8.8.3 and 13.1), where a message has a field `etag`.

const library = new Library();
beforeAll(() => library.start());
beforeEach(() => library.answers.clear());
afterAll(() => library.stop());

test.each([
  ["7", '"7"'],
  ["W/1,2", '"W/1,2"'],
  ['"quoted"', '"%22quoted%22"'],
  ["100%", '"100%25"'],
  ["ä b", '"%C3%A4%20b"'],
  ["", undefined],
])("the etag %j is the header %s, and comes back as it was", async (etag, header) => {
  library.answers.set("GetLoan", { id: "l1", etag });
  library.answers.set("UpdateLoan", { loan: { id: "l1", etag } });
  const got = await library.call("GET", "/v1/loans/l1");
  expect([got.status, got.headers.etag, got.json()]).toEqual([200, header, { id: "l1", days: 0, etag }]);
  if (header === undefined) return;
  const changed = await library.call("PATCH", "/v1/loans/l1", { days: 3 }, { "if-match": header });
  expect([changed.status, changed.headers.etag]).toEqual([200, header]);
  expect(library.last).toEqual(["UpdateLoan", { loan: { id: "l1", days: 3, etag }, update_mask: { paths: ["days"] } }]);
  await library.call("DELETE", "/v1/loans/l1", undefined, { "if-match": header });
  expect(library.last).toEqual(["DeleteLoan", { id: "l1", etag }]);
  expect((await library.call("GET", "/v1/loans/l1", undefined, { "if-none-match": header })).status).toBe(304);
});

test.each([
  ["PATCH", '{"etag":"6","days":3}', '"7"', { loan: { id: "l1", days: 3, etag: "7" }, update_mask: { paths: ["days"] } }],
  ["PATCH", '{"etag":"6","days":3}', undefined, { loan: { id: "l1", days: 3, etag: "6" }, update_mask: { paths: ["days"] } }],
  ["PATCH", '{"days":3}', "*", { loan: { id: "l1", days: 3 }, update_mask: { paths: ["days"] } }],
  ["PATCH", undefined, '"7"', { loan: { id: "l1", etag: "7" } }],
])("%s %s with If-Match %s", async (method, body, ifMatch, message) => {
  const answer = await library.call(method, "/v1/loans/l1", body, ifMatch === undefined ? {} : { "if-match": ifMatch });
  expect([answer.status, library.last], answer.text).toEqual([200, ["UpdateLoan", message]]);
});

test("a service that finds the etag stale is answered with 412, and with 409 where the body had it", async () => {
  const stale = Object.assign(new Error("Stale."), { code: status.ABORTED, details: "Stale.", metadata: new Metadata() });
  library.answers.set("UpdateLoan", stale);
  library.answers.set("DeleteLoan", stale);
  for (const [method, path] of [
    ["PATCH", "/v1/loans/l1"],
    ["DELETE", "/v1/loans/l1"],
  ] as const) {
    const answer = await library.call(method, path, undefined, { "if-match": '"6"' });
    expect([answer.status, answer.json()]).toMatchObject([412, { error: { code: 412, status: "ABORTED", message: "Stale." } }]);
  }
  expect((await library.call("PATCH", "/v1/loans/l1", { etag: "6" })).status).toBe(409);
  library.answers.set("UpdateLoan", Object.assign(new Error("No."), { code: status.NOT_FOUND, details: "No.", metadata: new Metadata() }));
  expect((await library.call("PATCH", "/v1/loans/l1", {}, { "if-match": '"6"' })).status).toBe(404);
});

test.each([
  ["PATCH", "/v1/loans/l1", { "if-match": 'W/"7"' }, 412, "PRECONDITION_FAILED"],
  // The request of that binding has a loan in its body, and no etag of its own.
  ["PUT", "/v1/loans/l1", { "if-match": '"7"' }, 412, "PRECONDITION_FAILED"],
  ["POST", "/v1/books", { "if-match": '"7"' }, 412, "PRECONDITION_FAILED"],
  ["PATCH", "/v1/loans/l1", { "if-match": "7" }, 400, "INVALID_HEADER"],
  ["PATCH", "/v1/loans/l1", { "if-match": '"7" "8"' }, 400, "INVALID_HEADER"],
  ["PATCH", "/v1/loans/l1", { "if-match": '"7", "8"' }, 400, "INVALID_HEADER"],
  ["PATCH", "/v1/loans/l1", { "if-none-match": "*" }, 400, "INVALID_HEADER"],
])("%s %s with %o is refused before the service is asked", async (method, path, headers, code, reason) => {
  const before = library.asked.length;
  const answer = await library.call(method, path, {}, headers);
  expect([answer.status, answer.json()]).toMatchObject([code, { error: { code, details: [{ reason }] } }]);
  expect(library.asked.length).toBe(before);
});

test.each([
  [{ "if-none-match": '"7"' }, 304],
  [{ "if-none-match": '"6", W/"7"' }, 304],
  [{ "if-none-match": "*" }, 304],
  [{ "if-none-match": '"6"' }, 200],
  [{ "if-none-match": "7" }, 400],
  [{ "if-match": '"6", "7"' }, 200],
  [{ "if-match": "*" }, 200],
  [{ "if-match": '"6"' }, 412],
  [{ "if-match": 'W/"7"' }, 412],
  [{ "if-match": '"7"', "if-none-match": '"7"' }, 304],
])("GET with %o is answered %i", async (headers, code) => {
  library.answers.set("GetLoan", { id: "l1", etag: "7" });
  const answer = await library.call("GET", "/v1/loans/l1", undefined, headers as Record<string, string>);
  expect(answer.status).toBe(code);
  if (code === 304) expect([answer.headers.etag, answer.text, answer.headers["content-type"]]).toEqual(['"7"', "", undefined]);
  expect((await library.call("HEAD", "/v1/loans/l1", undefined, headers as Record<string, string>)).status).toBe(code);
});

test("what has no etag is never unmodified", async () => {
  const answer = await library.call("GET", "/v1/books/b1", undefined, { "if-none-match": "*" });
  expect([answer.status, answer.headers.etag]).toEqual([200, undefined]);
});
