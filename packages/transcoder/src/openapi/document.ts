/** A JSON Schema (2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface MediaType {
  readonly schema?: JsonSchema;
  /** Of a stream: the schema of each of its messages. OpenAPI 3.2 calls it `itemSchema`. */
  readonly "x-item-schema"?: JsonSchema;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly description?: string;
  readonly required?: true;
  readonly schema?: JsonSchema;
  readonly content?: Readonly<Record<string, MediaType>>;
  /** It takes several segments of the path: slashes in it stay slashes. */
  readonly "x-multi-segment"?: true;
}

export interface RequestBody {
  readonly description?: string;
  readonly required?: true;
  readonly content: Readonly<Record<string, MediaType>>;
}

export interface Header {
  readonly description?: string;
  readonly schema: JsonSchema;
}

export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

export interface Reference {
  readonly $ref: string;
}

/** Names of security schemes, each with its scopes. */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>;

export interface Operation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: RequestBody;
  readonly responses: Readonly<Record<string, Response | Reference>>;
  readonly security?: readonly SecurityRequirement[];
  /** The rpc that is called: "package.Service/Method". */
  readonly "x-grpc-method"?: string;
}

/** The methods that a path item of OpenAPI 3.1 has. */
export const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"] as const;

export type Method = (typeof methods)[number];

export type PathItem = Readonly<Partial<Record<Method, Operation>>> & {
  /** What OpenAPI 3.1 has no form for, by method and template as they were declared: other methods, `*`, and a `**` beside a `*`. */
  readonly "x-additional-operations"?: Readonly<Record<string, Operation>>;
};

export interface Tag {
  readonly name: string;
  readonly description?: string;
}

export interface Info {
  readonly title: string;
  readonly version: string;
  readonly summary?: string;
  readonly description?: string;
  readonly license?: { readonly name: string; readonly identifier?: string };
}

/** An OpenAPI 3.1 document, as far as it is made here. */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: Info;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly Tag[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, Response>>;
    readonly securitySchemes?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
}
