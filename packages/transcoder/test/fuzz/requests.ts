import { type Binding, bindingsOf } from "../../src/http-rule.ts";
import { makeReaders } from "../../src/json-reader.ts";
import { readProtoFiles } from "../../src/proto-files.ts";
import type { Field, FieldType, MessageType } from "../../src/schema.ts";
import { mutated } from "../differential/mutate.ts";
import { type Chance, newChance } from "../differential/random.ts";

/** What a request may say that only its server knows. */
export interface Known {
  /** Ids of what is there. */
  readonly ids: readonly string[];
  /** Values of the Authorization header. */
  readonly authorizations: readonly string[];
}

/**
 * Makes HTTP requests, as the bytes that go over a connection, that nearly are what the protos in these folders want: the right path with
 * the wrong method, the right body with a hole in it, headers of all sorts. The same seed makes the same requests.
 */
export function requestsFor(protoDirs: readonly string[], seed: number, known: Known): () => Buffer {
  const { rpcs, types } = readProtoFiles(protoDirs);
  const readers = makeReaders(types, false);
  const bindings = rpcs.flatMap((rpc) => bindingsOf(rpc, types, readers));
  const chance = newChance(seed);
  return () => requestFor(chance.pick(bindings), known, chance);
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "CONNECT", "get", "", "G\u00cbT"];

function requestFor(binding: Binding, known: Known, chance: Chance): Buffer {
  if (chance.once(60)) return Buffer.from(Array.from({ length: chance.below(300) }, () => chance.below(256)));
  const method = chance.once(12) ? chance.pick(methods) : binding.method === "*" ? "GET" : binding.method;
  const path = pathFor(binding, known, chance) + queryFor(binding, known, chance);
  const body = bodyFor(binding, known, chance);
  const head = [
    `${method} ${path} HTTP/1.${chance.once(50) ? 0 : 1}`,
    "Host: fuzz",
    "Connection: close",
    ...headersFor(body, known, chance),
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, chance.once(20) ? "utf8" : "latin1"), body]);
}

const odd = [
  "",
  ".",
  "..",
  "%",
  "%zz",
  "%ff",
  "%00",
  "%2F",
  "%2f..%2f",
  ":",
  "a:b",
  "*",
  "%C3%A9",
  "\u00e9",
  "~",
  "'\"",
  "%F0%9F%98%80",
  "0",
  "-1",
];

function pathFor({ path, template }: Binding, known: Known, chance: Chance): string {
  if (chance.once(30))
    return chance.pick(["/", "*", "//", "/..", "/%2e%2e/", "http://fuzz/", "/\u0000", `/${"a/".repeat(chance.below(2000))}`, "no"]);
  const segments = path.segments.flatMap((segment) => {
    if (segment.kind === "literal") return chance.once(80) ? [chance.pick(odd)] : [encodeURI(segment.text)];
    if (segment.kind === "one") return [valueFor(known, chance)];
    return Array.from({ length: chance.below(4) }, () => valueFor(known, chance));
  });
  const verb = chance.once(25) ? chance.pick(["", ":nope", ":", "::"]) : path.verb && `:${path.verb}`;
  return (template === "/" ? "/" : `/${segments.join("/")}`) + verb;
}

const valueFor = (known: Known, chance: Chance): string => {
  if (chance.once(3)) return chance.pick(odd);
  return encodeURIComponent(chance.pick([...known.ids, "00000000-0000-4000-8000-000000000000", "1", "x".repeat(chance.below(300))]));
};

function queryFor({ request }: Binding, known: Known, chance: Chance): string {
  if (chance.once(2)) return "";
  const parameters = Array.from({ length: chance.below(5) }, () => {
    const field = request.type.fields.length === 0 || chance.once(6) ? undefined : chance.pick(request.type.fields);
    const name =
      field === undefined ? chance.pick(["nope", "__proto__", "a.b.c", "%zz", "pageSize", ""]) : field.jsonName + nestedName(field, chance);
    return `${name}${chance.once(20) ? "" : "="}${chance.once(4) ? chance.pick(odd) : encodeURIComponent(textOf(field, known, chance))}`;
  });
  return `?${parameters.join(chance.once(20) ? ";" : "&")}`;
}

function nestedName({ type }: Field, chance: Chance): string {
  return type.kind === "message" && type.fields.length > 0 && !chance.once(4) ? `.${chance.pick(type.fields).jsonName}` : "";
}

const textOf = (field: Field | undefined, known: Known, chance: Chance): string =>
  field === undefined ? "x" : elementJson(field.type, known, chance, 3).replaceAll('"', "");

const NO_BODY = Buffer.alloc(0);

function bodyFor({ body, request }: Binding, known: Known, chance: Chance): Buffer {
  if (chance.once(8) || (body === undefined && !chance.once(6))) return NO_BODY;
  if (chance.once(30)) return Buffer.from(Array.from({ length: chance.below(400) }, () => chance.below(256)));
  if (chance.once(200)) return Buffer.from("[".repeat(chance.below(100_000)));
  const type = typeof body === "object" ? body.field.type : request.type;
  const json = elementJson(type, known, chance, 0);
  return Buffer.from(chance.once(4) ? mutated(json, chance) : json);
}

function messageJson(type: MessageType, known: Known, chance: Chance, depth: number): string {
  if (type.name.startsWith("google.protobuf.")) return chance.pick(wellKnown);
  const fields = depth > 4 ? [] : chance.shuffled(type.fields).slice(0, chance.below(type.fields.length + 1));
  return `{${fields.map((field) => `${JSON.stringify(field.jsonName)}:${fieldJson(field, known, chance, depth + 1)}`).join(",")}}`;
}

const wellKnown = [
  '"2026-01-31T12:00:00Z"',
  '"0001-01-01T00:00:00Z"',
  '"1.5s"',
  '"a,b"',
  '{"a":[1,null]}',
  "[]",
  "null",
  "1",
  "true",
  '{"@type":"x/y"}',
];

function fieldJson(field: Field, known: Known, chance: Chance, depth: number): string {
  const one = (): string => elementJson(field.type, known, chance, depth);
  if (field.shape === "repeated") return `[${Array.from({ length: chance.below(4) }, one).join(",")}]`;
  if (field.shape === "map") return `{${JSON.stringify(chance.pick(["a", "1", "true", "", "\u0000"]))}:${one()}}`;
  return one();
}

const strings = [
  "",
  "a",
  "\u0000",
  "\ud83d\ude00",
  "a b",
  "Robert'); drop table users;--",
  "../../etc/passwd",
  "1e999",
  "%",
  "\\",
  "\u202e",
];

function elementJson(type: FieldType, known: Known, chance: Chance, depth: number): string {
  if (type.kind === "message") return messageJson(type, known, chance, depth);
  if (type.kind === "enum")
    return chance.once(8) ? chance.pick(["99", '"NOPE"', "-1"]) : JSON.stringify(chance.pick([...type.numbers.keys()]));
  switch (type.scalar) {
    case "string":
      return JSON.stringify(
        chance.once(2) ? chance.pick(strings) : chance.once(20) ? "x".repeat(chance.below(5_000)) : chance.pick(known.ids),
      );
    case "bytes":
      return chance.pick(['""', '"AAEC"', '"_-8"', '"!"']);
    case "bool":
      return chance.pick(["true", "false"]);
    default:
      return chance.pick(["0", "1", "-1", "2147483647", '"5"', "9007199254740993", "1e3", "1.5", '"NaN"', String(chance.below(1_000))]);
  }
}

const types = [
  "application/json",
  "application/json; charset=utf-8",
  "text/plain",
  "application/x-www-form-urlencoded",
  "a/b/c",
  "",
  "application/vnd.x+json",
];

function headersFor(body: Buffer, known: Known, chance: Chance): string[] {
  const headers: string[] = [];
  const maybe = (times: number, name: string, values: readonly string[]): void => {
    if (chance.once(times)) headers.push(`${name}: ${chance.pick(values)}`);
  };
  if (!chance.once(4)) headers.push(`Authorization: ${chance.pick(known.authorizations)}`);
  if (body.length > 0) {
    headers.push(`Content-Type: ${chance.once(5) ? chance.pick(types) : "application/json"}`);
    headers.push(`Content-Length: ${chance.once(60) ? chance.pick(["-1", "1", "x", "999999999"]) : body.length}`);
  }
  maybe(15, "Accept", ["application/json", "text/html", "text/event-stream", "application/x-ndjson", "*/*;q=0", ";;,", "image/*"]);
  maybe(10, "Accept-Encoding", ["gzip", "br", "*", "gzip;q=0", "identity;q=0", ";;;", "br;q=x"]);
  maybe(12, "If-Match", ['"1"', "*", 'W/"1"', "1", '"a", "b"', '"%zz"', ""]);
  maybe(12, "If-None-Match", ['"1"', "*", "x", '"1", W/"2"']);
  maybe(12, "Grpc-Timeout", ["1S", "50m", "0n", "99999999H", "x", "-1S"]);
  maybe(12, "X-Request-Timeout", ["1", "0.5s", "0", "soon", "1e9"]);
  maybe(12, "Origin", ["https://example.org", "null", "x"]);
  maybe(20, "Access-Control-Request-Method", ["PATCH", "x"]);
  maybe(12, "Last-Event-ID", ["1", "-1", "x", "99999999999999999999", "\u00e9"]);
  maybe(20, "X-Forwarded-For", ["192.0.2.1", "x, y", "::1"]);
  maybe(20, "X-Request-ID", ["r1", "x y", "x".repeat(500)]);
  maybe(20, "Traceparent", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x"]);
  maybe(40, "Content-Encoding", ["gzip", "br", "x"]);
  maybe(60, "Transfer-Encoding", ["chunked", "gzip", "x"]);
  maybe(60, "Expect", ["100-continue", "x"]);
  maybe(60, "Upgrade", ["websocket", "h2c"]);
  maybe(60, "X-Large", ["x".repeat(chance.below(20_000))]);
  return headers;
}
