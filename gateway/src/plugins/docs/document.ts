import { routesOf } from "@chargemesh/transcoder";
import { type OpenApiDocument, type Operation, openApiOf, type PathItem } from "@chargemesh/transcoder/openapi";
import { accessOf, BEARER, rulesOf } from "./rules.ts";

const json = `JSON is that of proto3: names in camelCase, integers of 64 bits as strings, times as in RFC 3339, enums by name, bytes in
base64. Members that are not set are left out or hold their default value; members that nobody knows are refused. Every failure has the
shape of \`Error\`. With \`x-request-timeout: 1.5\` a call fails if it takes longer than so many seconds.`;

const ours = `The REST side of the mesh, derived from the same protos as its gRPC side.

${json}

Lists come in pages: send \`nextPageToken\` as \`pageToken\` to get the next one.

Sign in with \`POST /auth/login\` and send \`authorization: Bearer {accessToken}\`. Access tokens live five minutes; \`POST /auth/refresh\`
exchanges the refresh token for new ones.`;

/** What the gateway serves of the protos in these folders, and of its own; that is less where they are not our own protos. */
export function openApiDocument(protoDirs: readonly string[], isOurs: boolean): OpenApiDocument {
  if (!isOurs) return openApiOf(protoDirs, { info: { title: "Services over REST", version: "1", description: json } });
  return openApiOf(protoDirs, {
    info: {
      title: "Chargemesh",
      version: "1",
      summary: "An EV-charging backend",
      description: ours,
      license: { name: "MIT", identifier: "MIT" },
    },
    securitySchemes: {
      [BEARER]: {
        type: "http",
        scheme: "bearer",
        description: "The accessToken of a sign-in, an API key, or a token of an identity provider that is trusted.",
      },
    },
    rpc: accessOf,
    field: rulesOf,
    paths: healthPaths(firstSegments(protoDirs)),
    schemas: { ServiceHealth: serviceHealth, SystemHealth: systemHealth },
    tags: [{ name: "Health", description: "How the services are, and what they depend on." }],
  });
}

/** The first segment of each package's first route: that is where its health is. */
function firstSegments(protoDirs: readonly string[]): string[] {
  const byPackage = new Map<string, string>();
  for (const route of routesOf(protoDirs)) {
    const [, segment, name] = / \/([^/:]+).* -> (.+)\.[^.]+\//.exec(route) ?? [];
    if (segment !== undefined && name !== undefined && !byPackage.has(name)) byPackage.set(name, segment);
  }
  return [...new Set(byPackage.values())];
}

const state = { type: "string", enum: ["ok", "degraded", "unavailable"] };

const serviceHealth = {
  title: "ServiceHealth",
  type: "object",
  required: ["status", "dependencies"],
  properties: {
    status: { ...state, description: "`degraded`: it serves without something that it depends on." },
    dependencies: { type: "object", additionalProperties: state },
  },
};

const systemHealth = {
  title: "SystemHealth",
  type: "object",
  required: ["status", "services"],
  properties: {
    status: { ...state, description: "That of the service that is worst off." },
    services: { type: "object", additionalProperties: { $ref: "#/components/schemas/ServiceHealth" } },
  },
};

function healthPaths(services: readonly string[]): Record<string, PathItem> {
  const operation = (schema: string, others: Pick<Operation, "operationId" | "summary" | "parameters">): Operation => {
    const content = { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } };
    return {
      ...others,
      tags: ["Health"],
      description: "Anybody may call.",
      responses: { "200": { description: "It serves.", content }, "503": { description: "It does not serve.", content } },
      security: [],
    };
  };
  const service = { name: "service", in: "path", required: true, schema: { type: "string", enum: services } } as const;
  return {
    "/health": { get: operation("SystemHealth", { operationId: "Health_GetSystem", summary: "How the whole system is" }) },
    "/{service}/health": {
      get: operation("ServiceHealth", { operationId: "Health_GetService", summary: "How one service is", parameters: [service] }),
    },
  };
}
