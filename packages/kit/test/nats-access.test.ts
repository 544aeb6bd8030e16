import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { nkeys } from "nats";
import { expect, onTestFinished, test } from "vitest";
import { keepCertificates } from "../../../tools/certs/keep.ts";
import { freePort } from "../../../tools/servers/free-port.ts";
import { launch } from "../../../tools/servers/launch.ts";
import { findNatsServer } from "../../../tools/servers/nats-binary.ts";
import { freshFolder } from "../../../tools/test/folder.ts";
import { ConfigError, readEnv, type Vars } from "../src/config.ts";
import { makeLogger } from "../src/log.ts";
import { Stack } from "../src/main.ts";
import { openNats } from "../src/nats.ts";
import { readNatsConfig } from "../src/nats-access.ts";

// Every way in that a NATS server of somebody else's may want, against a real one.

/** Starts a server with this configuration, and answers its port. */
async function startServer(configuration: string): Promise<number> {
  const folder = freshFolder();
  const [{ command }, port] = await Promise.all([findNatsServer(() => undefined), freePort()]);
  writeFileSync(join(folder, "nats.conf"), configuration);
  const args = ["-c", join(folder, "nats.conf"), "-a", "127.0.0.1", "-p", String(port)];
  const server = await launch({ command, args, stopSignal: "SIGINT", output: join(folder, "nats.log") });
  onTestFinished(() => server.stop());
  for (;;) {
    const socket = connectTcp(port, "127.0.0.1");
    try {
      await once(socket, "data");
      return port;
    } catch {
      // It does not listen yet; if it never does, the test's time ends.
    } finally {
      socket.destroy();
    }
  }
}

/** Whether a service with these settings comes in; if not, what the server says. */
async function comesIn(vars: Vars): Promise<string> {
  const stack = new Stack();
  const log = makeLogger("test", "silent");
  const refused = Promise.withResolvers<string>();
  log.warn = (({ err }: { err: unknown }) => refused.resolve(err instanceof Error ? err.message : String(err))) as typeof log.warn;
  const nats = openNats(readNatsConfig(readEnv(vars), "AUTH_NATS_URL"), "auth-service", stack, log);
  const connected = async (): Promise<string> => {
    while (
      !(await nats.check().then(
        () => true,
        () => false,
      ))
    )
      await new Promise((resolve) => setTimeout(resolve, 10));
    await nats.connection().flush();
    return "in";
  };
  const answer = await Promise.race([connected(), refused.promise]);
  await stack.close(log);
  return answer;
}

test("by a token in the URL", async () => {
  const port = await startServer('authorization { token: "a token" }');
  expect(await comesIn({ NATS_URL: `nats://${encodeURIComponent("a token")}@127.0.0.1:${port}` })).toBe("in");
  expect(await comesIn({ NATS_URL: `nats://another@127.0.0.1:${port}` })).toMatch(/authorization/i);
});

test("by user and password, of its own before those of all", async () => {
  const port = await startServer('authorization { user: "me", password: "p@ss" }');
  const url = `nats://me:${encodeURIComponent("p@ss")}@127.0.0.1:${port}`;
  expect(await comesIn({ NATS_URL: url })).toBe("in");
  expect(await comesIn({ NATS_URL: `nats://127.0.0.1:${port}`, AUTH_NATS_URL: url })).toBe("in");
  expect(await comesIn({ NATS_URL: `nats://127.0.0.1:${port}` })).toMatch(/authorization/i);
});

test("by an nkey", async () => {
  const [mine, another] = [nkeys.createUser(), nkeys.createUser()];
  const port = await startServer(`authorization { users: [{ nkey: ${mine.getPublicKey()} }] }`);
  const fileOf = (key: typeof mine): string => {
    const file = join(freshFolder(), "seed.nk");
    writeFileSync(file, `${Buffer.from(key.getSeed())}\n`);
    return file;
  };
  expect(await comesIn({ NATS_URL: `nats://127.0.0.1:${port}`, NATS_CREDS: fileOf(mine) })).toBe("in");
  expect(await comesIn({ NATS_URL: `nats://127.0.0.1:${port}`, NATS_CREDS: fileOf(another) })).toMatch(/authorization/i);
  expect(await comesIn({ NATS_URL: `nats://127.0.0.1:${port}`, NATS_CREDS: "/not/there" })).toMatch(/ENOENT/);
});

test("by a file of credentials, as managed NATS gives them", async () => {
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()];
  type Key = typeof user;
  const claim = (issuer: Key, subject: Key, nats: object): string => {
    const claims = {
      jti: "a",
      iat: Math.floor(Date.now() / 1000),
      iss: issuer.getPublicKey(),
      sub: subject.getPublicKey(),
      name: "test",
      nats,
    };
    const text = [{ typ: "JWT", alg: "ed25519-nkey" }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString("base64url")}`;
  };
  const unlimited = { subs: -1, data: -1, payload: -1 };
  const limits = { ...unlimited, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true };
  const port = await startServer(
    [
      `operator: ${claim(operator, operator, { type: "operator", version: 2 })}`,
      "resolver: MEMORY",
      `resolver_preload: { ${account.getPublicKey()}: ${claim(operator, account, { limits, type: "account", version: 2 })} }`,
    ].join("\n"),
  );
  const jwt = claim(account, user, { ...unlimited, type: "user", version: 2 });
  const file = join(freshFolder(), "user.creds");
  const block = (name: string, text: string): string => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n`;
  writeFileSync(file, block("NATS USER JWT", jwt) + block("USER NKEY SEED", Buffer.from(user.getSeed()).toString()));
  expect(await comesIn({ NATS_URL: `nats://127.0.0.1:${port}`, NATS_CREDS: file })).toBe("in");
  expect(await comesIn({ NATS_URL: `nats://127.0.0.1:${port}` })).toMatch(/authorization/i);
});

test("over TLS, held to the authority, with a certificate where the server wants one", async () => {
  const certs = freshFolder();
  await keepCertificates(certs, [], new Date());
  const others = freshFolder();
  await keepCertificates(others, [], new Date());
  const at = (folder: string, name: string): string => join(folder, "nats", name);
  const tls = `cert_file: "${at(certs, "tls.crt")}", key_file: "${at(certs, "tls.key")}", ca_file: "${at(certs, "ca.crt")}"`;
  const port = await startServer(`tls { ${tls}, verify: true }`);
  const url = `tls://localhost:${port}`;
  const mine = { NATS_CERT: join(certs, "auth-service", "tls.crt"), NATS_KEY: join(certs, "auth-service", "tls.key") };
  expect(await comesIn({ NATS_URL: url, NATS_CA: at(certs, "ca.crt"), ...mine })).toBe("in");
  expect(await comesIn({ NATS_URL: url, NATS_CA: at(others, "ca.crt"), ...mine })).not.toBe("in");
  expect(await comesIn({ NATS_URL: url, ...mine })).not.toBe("in");
  expect(await comesIn({ NATS_URL: url, NATS_CA: at(certs, "ca.crt") })).not.toBe("in");
});

test("a certificate without its key is a fault of the settings", () => {
  const env = readEnv({ NATS_URL: "nats://x", NATS_CERT: "/a" });
  readNatsConfig(env, "AUTH_NATS_URL");
  expect(() => env.done({})).toThrow(new ConfigError("bad configuration: NATS_CERT and NATS_KEY need each other"));
});
