import { expect, test } from "vitest";
import { ConfigError, inMesh, readEnv, type Vars } from "../src/config.ts";

// Plaintext between services is for loopback, unless somebody says otherwise.

function read(vars: Vars, ...places: string[]): void {
  const env = readEnv(vars);
  inMesh(env, "AUTH_GRPC_ADDRESS", ...places);
  env.done({});
}

test.each([
  "127.0.0.1:3001",
  "127.8.9.10:3001",
  "localhost:3001",
  "LOCALHOST:3001",
  "[::1]:3001",
  "dns:///localhost:3001",
  "dns://8.8.8.8/localhost:3001",
  "ipv4:127.0.0.1:3001",
  "unix:/run/auth.sock",
])("%s is on loopback", (place) => {
  expect(() => read({}, place)).not.toThrow();
});

test.each([
  "0.0.0.0:3001",
  "[::]:3001",
  "10.0.0.5:3001",
  "auth-service:3001",
  "localhost.example.org:3001",
  "127.0.0.1.example.org:3001",
  "dns:///auth-service:3001",
  "ipv6:[2001:db8::1]:3001",
])("%s is beyond it, and takes certificates or a word", (place) => {
  expect(() => read({}, "127.0.0.1:1", place)).toThrow(
    new ConfigError(
      `bad configuration: AUTH_GRPC_ADDRESS is ${place}, beyond loopback, and the mesh is in plaintext: set MESH_CERTS (\`make certs\` makes certificates), or MESH_PLAINTEXT=allow if nobody else is on that network`,
    ),
  );
  expect(() => read({ MESH_CERTS: "/certs" }, place)).not.toThrow();
  expect(() => read({ MESH_PLAINTEXT: "allow" }, place)).not.toThrow();
  expect(() => read({ MESH_PLAINTEXT: "yes" }, place)).toThrow("MESH_PLAINTEXT must be one of loopback, allow");
});
