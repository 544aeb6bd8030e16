import type { Code } from "../http-status.ts";
import type { Field } from "../schema.ts";
import type { Info, JsonSchema, PathItem, SecurityRequirement, Tag } from "./document.ts";
import type { ProtoOptions } from "./reflection.ts";

/** What a project's own options say of an rpc. */
export interface RpcTraits {
  /** Who may call; `[]` is anybody, undefined says nothing of it. */
  readonly security?: readonly SecurityRequirement[];
  /** Goes after the rpc's own description. */
  readonly description?: string;
  /** How the rpc may fail beside what its comment says, a sentence by code. */
  readonly failures?: Readonly<Partial<Record<Code, string>>>;
}

/** What a project's own options say of a field. */
export interface FieldTraits {
  /** Keywords of JSON Schema that go beside those of the field's type. */
  readonly keywords?: JsonSchema;
  /** It must be given. */
  readonly required?: boolean;
}

/** What is not in google.api.http: the words around the routes, and what options of the project's own mean. */
export interface OpenApiOptions {
  readonly info: Info;
  /** Where the routes are, absolute or relative to where the document is served. "/" if not given. */
  readonly serverUrl?: string;
  readonly securitySchemes?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Routes of the application's own, which win over those of the protos, and the schemas and tags that they refer to. */
  readonly paths?: Readonly<Record<string, PathItem>>;
  readonly schemas?: Readonly<Record<string, JsonSchema>>;
  readonly tags?: readonly Tag[];
  /** `service` is the full name of the rpc's service. */
  rpc?(options: ProtoOptions, service: string): RpcTraits;
  field?(options: ProtoOptions, field: Field): FieldTraits;
}
