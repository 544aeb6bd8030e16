import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What came in over REST. */
export interface RestCall {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, string>;
  readonly authorization: string | undefined;
}

type Reply = [status: number, body: object];

/** A real HTTP server with the REST surface that the demo uses, and no more behind it than that. */
export interface ScriptedRest {
  readonly url: string;
  readonly calls: RestCall[];
  /** Answers every call with this status instead, while it is set. */
  failure: number | undefined;
  close(): Promise<void>;
}

export async function startRest(adminPassword: string): Promise<ScriptedRest> {
  const passwords = new Map([["admin", adminPassword]]);
  const made = new Set<string>();
  const signUp = ({ body: { username = "", password = "" } }: RestCall): Reply => {
    if (passwords.has(username)) return [409, {}];
    passwords.set(username, password);
    return [200, { id: `id of ${username}`, accessToken: "driver" }];
  };
  const logIn = ({ body: { username = "", password = "" } }: RestCall): Reply => {
    if (passwords.get(username) !== password) return [401, { error: { code: 401, message: "Wrong username or password." } }];
    return [200, { id: `id of ${username}`, accessToken: username === "admin" ? "operator" : "driver" }];
  };
  const write = ({ method, path, body, authorization }: RestCall): Reply => {
    if (authorization !== "Bearer operator") return [401, {}];
    const key = method === "POST" ? `${path}/${body.id ?? body.idToken}` : path;
    if (method === "POST" && made.has(key)) return [409, {}];
    made.add(key);
    return [200, {}];
  };
  const answers: Record<string, (call: RestCall) => Reply> = { "/auth/signup": signUp, "/auth/login": logIn };
  const rest: ScriptedRest = { url: "", calls: [], failure: undefined, close: async () => {} };
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const call = {
      method: request.method ?? "",
      path: request.url ?? "",
      body: JSON.parse(Buffer.concat(chunks).toString()),
      authorization: request.headers.authorization,
    };
    rest.calls.push(call);
    const [status, body] = rest.failure === undefined ? (answers[call.path] ?? write)(call) : [rest.failure, {}];
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(rest, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}
