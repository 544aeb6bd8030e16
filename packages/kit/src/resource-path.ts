const verbs = ["get", "put", "post", "patch", "delete"] as const;

/**
 * What a request is about, by the REST path of its rpc: of "/ocpp/chargers/{id}:reset" it is "chargers/CP-1". Empty if the path names nothing.
 * `http` is google.api.http as protobufjs has it.
 */
export function readResourcePath(http: unknown): (request: object) => string {
  const rule = (typeof http === "object" && http !== null ? http : {}) as Record<string, unknown>;
  const template = verbs.map((verb) => rule[verb]).find((path) => typeof path === "string") ?? "";
  const [, path = ""] = /^\/[^/]+\/(.*\{.*?\}[^:]*)(?::\w+)?$/.exec(String(template)) ?? [];
  return (request) => path.replace(/\{([\w.]+)[^}]*\}/g, (_variable, field: string) => valueAt(request, field));
}

/** The text of a field: "charger.display_name" is `request.charger.displayName`. */
function valueAt(request: object, field: string): string {
  let value: unknown = request;
  for (const name of field.split(".")) {
    const property = name.replace(/_+([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[property] : undefined;
  }
  return value === undefined ? "" : String(value);
}
