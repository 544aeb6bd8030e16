import { describe, expect, test } from "vitest";
import { captured, capturedList, parseTemplate } from "../src/path-template.ts";
import { newRouteTable } from "../src/route-table.ts";

// Every form that the comments of google/api/http.proto give a path template, each with paths that it matches and paths that it does not.

/** What the variables of a template take from a path; undefined if it does not match. */
function taken(template: string, path: string): Record<string, string> | undefined {
  const table = newRouteTable<string>();
  const parsed = parseTemplate(template);
  table.add("GET", parsed, template);
  const found = table.match("GET", path);
  return found && Object.fromEntries(parsed.variables.map((variable) => [variable.fieldPath, captured(variable, found.segments)]));
}

const forms: [form: string, template: string, paths: Record<string, Record<string, string> | undefined>][] = [
  ["the root", "/", { "/": {}, "/a": undefined, "//": undefined }],
  [
    "Segments = Segment { / Segment }, Segment = LITERAL",
    "/v1/messages",
    {
      "/v1/messages": {},
      "/v1/%6dessages": {},
      "/v1/messages/": undefined,
      "/v1/Messages": undefined,
      "/v1": undefined,
      "/v1/messages/1": undefined,
    },
  ],
  [
    "a LITERAL with reserved characters, percent-encoded in the template",
    "/v1/a%20b%2Fc",
    { "/v1/a%20b%2Fc": {}, "/v1/a%20b%2fc": {}, "/v1/a%20b/c": undefined },
  ],
  [
    "a LITERAL with unreserved and other plain characters",
    "/a-b_c.d~e/@$&'()+,;",
    { "/a-b_c.d~e/@$&'()+,;": {}, "/a-b_c.d~e/%40%24&'()+,;": {} },
  ],
  ["Segment = *", "/v1/*/x", { "/v1/a/x": {}, "/v1/a%2Fb/x": {}, "/v1//x": undefined, "/v1/a/b/x": undefined }],
  [
    "Segment = **, zero or more segments",
    "/v1/**",
    { "/v1": {}, "/v1/": {}, "/v1/a": {}, "/v1/a/b/c": {}, "/v2": undefined, "/v1a": undefined },
  ],
  ["** alone", "/**", { "/": {}, "/a": {}, "/a/b": {} }],
  [
    "Variable = { FieldPath }, which is {var=*}",
    "/v1/messages/{message_id}",
    {
      "/v1/messages/1": { message_id: "1" },
      "/v1/messages/a%2Fb%3Ac%25": { message_id: "a/b:c%" },
      "/v1/messages/a+b": { message_id: "a+b" },
      "/v1/messages/": undefined,
      "/v1/messages/a/b": undefined,
    },
  ],
  ["{var=*}", "/v1/{name=*}", { "/v1/x%2Fy": { name: "x/y" }, "/v1/x/y": undefined }],
  ["a FieldPath of several IDENT", "/v1/{a.b.c_d}", { "/v1/x": { "a.b.c_d": "x" } }],
  [
    "{var=literal/*}",
    "/v1/{name=messages/*}",
    { "/v1/messages/1": { name: "messages/1" }, "/v1/messages": undefined, "/v1/others/1": undefined, "/v1/messages/1/2": undefined },
  ],
  [
    "a variable of several segments keeps %2F, and decodes the rest",
    "/v1/{name=shelves/*/books/*}",
    { "/v1/shelves/a%2Fb/books/c%2fd%20e%3A": { name: "shelves/a%2Fb/books/c%2fd e:" } },
  ],
  [
    "{var=**}",
    "/v1/{path=**}",
    { "/v1": { path: "" }, "/v1/a": { path: "a" }, "/v1/a/b%2Fc/d%20e": { path: "a/b%2Fc/d e" }, "/v1/a//b/": { path: "a//b/" } },
  ],
  [
    "{var=literal/**}",
    "/v1/{path=files/**}",
    { "/v1/files": { path: "files" }, "/v1/files/a/b": { path: "files/a/b" }, "/v1/x": undefined },
  ],
  [
    "{a.b=x/*/y/**}",
    "/v1/{a.b=x/*/y/**}",
    { "/v1/x/1/y": { "a.b": "x/1/y" }, "/v1/x/1/y/2/3": { "a.b": "x/1/y/2/3" }, "/v1/x/y/2": undefined },
  ],
  ["a variable that is a literal", "/{version=v1}/x", { "/v1/x": { version: "v1" }, "/v2/x": undefined }],
  [
    "several variables, literals and wildcards",
    "/v1/{parent=rooms/*}/*/books/{id}/{rest=**}",
    {
      "/v1/rooms/r/z/books/b/p/q": { parent: "rooms/r", id: "b", rest: "p/q" },
      "/v1/rooms/r/z/books/b": { parent: "rooms/r", id: "b", rest: "" },
    },
  ],
  [
    "Verb = : LITERAL after a literal",
    "/v1/messages:batchGet",
    {
      "/v1/messages:batchGet": {},
      "/v1/messages": undefined,
      "/v1/messages:batch": undefined,
      "/v1/messages/:batchGet": undefined,
      "/v1/messages%3AbatchGet": undefined,
    },
  ],
  [
    "a verb after a variable",
    "/v1/{name=messages/*}:undelete",
    {
      "/v1/messages/1:undelete": { name: "messages/1" },
      "/v1/messages/a%3Ab:undelete": { name: "messages/a:b" },
      "/v1/messages/a:b:undelete": { name: "messages/a:b" },
      "/v1/messages/1": undefined,
      "/v1/messages/1:delete": undefined,
    },
  ],
  ["a verb after *", "/v1/*:run", { "/v1/x:run": {}, "/v1/x": undefined, "/v1/:run": undefined }],
  [
    "a verb after **",
    "/v1/{path=**}:stat",
    { "/v1/a/b:stat": { path: "a/b" }, "/v1:stat": { path: "" }, "/v1/a:b/c:stat": { path: "a:b/c" }, "/v1/a/b": undefined },
  ],
];

describe.each(forms)("%s: %s", (_form, template, paths) => {
  test.each(Object.entries(paths))("%s", (path, values) => {
    expect(taken(template, path)).toEqual(values);
  });
});

test("the elements of a repeated field stand between commas", () => {
  const [single, multi] = [parseTemplate("/{list}").variables[0], parseTemplate("/{list=**}").variables[0]];
  if (single === undefined || multi === undefined) throw new Error("no variable");
  expect(capturedList(single, ["a,b%2Cc,,%2F"])).toEqual(["a", "b,c", "", "/"]);
  expect(capturedList(multi, ["a,b", "c,%2F"])).toEqual(["a", "b/c", "%2F"]);
  expect(capturedList(multi, [])).toEqual([]);
});

test("of several templates the most exact one is taken, segment by segment, whatever their order", () => {
  const templates = ["/**", "/v1/{path=**}", "/v1/*/x", "/v1/a/**", "/v1/{id}", "/v1/a", "/v1/{id}:run", "/v1/a/b/{c}", "/v1/*/b/c"];
  for (const order of [templates, [...templates].reverse()]) {
    const table = newRouteTable<string>();
    for (const template of order) expect(table.add("GET", parseTemplate(template), template)).toBeUndefined();
    const found = (path: string) => table.match("GET", path)?.route;
    expect([
      found("/v1/a"),
      found("/v1/b"),
      found("/v1/a:run"),
      found("/v1/b/x"),
      found("/v1/a/x"),
      found("/v1/a/b/c"),
      found("/v1/z/b/c"),
      found("/v1/z/b"),
      found("/v1"),
      found("/v2"),
      found("/v1/b:stop"),
    ]).toEqual([
      "/v1/a",
      "/v1/{id}",
      "/v1/{id}:run",
      "/v1/*/x",
      "/v1/a/**",
      "/v1/a/b/{c}",
      "/v1/*/b/c",
      "/v1/{path=**}",
      "/v1/{path=**}",
      "/**",
      undefined,
    ]);
  }
});

test("a path that matches more exactly with another method falls back to what matches with this one", () => {
  const table = newRouteTable<string>();
  table.add("POST", parseTemplate("/v1/a"), "exact");
  table.add("GET", parseTemplate("/v1/{id}"), "one");
  table.add("*", parseTemplate("/v1/**"), "any");
  expect(["GET", "POST", "DELETE"].map((method) => table.match(method, "/v1/a")?.route)).toEqual(["one", "exact", "any"]);
  expect([...table.methods("/v1/a")].sort()).toEqual(["*", "GET", "POST"]);
});

test.each([
  ["", "must begin with /"],
  ["v1", "must begin with /"],
  ["/v1/", "a segment is empty"],
  ["/v1//x", "a segment is empty"],
  ["/{a=}", "a segment is empty"],
  ["/{a=/x}", "a segment is empty"],
  ["/{}", "{} does not name a field"],
  ["/{a.}", "{a.} does not name a field"],
  ["/{a b}", "{a b} does not name a field"],
  ["/{a=b=c}", "{a=b=c} has more than one ="],
  ["/{a={b}}", "variables may not stand in one another, and braces come in pairs"],
  ["/a}", "variables may not stand in one another, and braces come in pairs"],
  ["/{a", "a { is not closed"],
  ["/{a}b", "{a}b is neither a variable nor a literal"],
  ["/{a}-{b}", "{a}-{b} does not name a field"],
  ["/a*", "a* is not a segment"],
  ["/***", "*** is not a segment"],
  ["/a?b", "a?b is not a segment"],
  ["/a#b", "a#b is not a segment"],
  ["/a b", "a b is not a segment"],
  ["/**/x", "** must be the last segment"],
  ["/{a=**}/x", "** must be the last segment"],
  ["/{a=**/x}", "** must be the last segment"],
  ["/{a}/{a}", "a is bound twice"],
  ["/:run", "a segment is empty"],
  ["/a:", ": is not a verb"],
  ["/a:*", ":* is not a verb"],
])("%s is no template: %s", (template, reason) => {
  expect(() => parseTemplate(template)).toThrow(reason);
});
