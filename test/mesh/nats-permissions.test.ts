import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeFolder } from "../../tools/test/folder.ts";
import { startShippedNats } from "./system.ts";

// What deploy/nats.conf lets each service do, and what it does not, told by the server itself.

const SERVICES = ["auth", "charger", "email"] as const;
type Service = (typeof SERVICES)[number];

let nats: Awaited<ReturnType<typeof startShippedNats>>;

beforeAll(async () => {
  nats = await startShippedNats(makeFolder());
});
afterAll(() => nats.stop());

async function connectAs(service: Service): Promise<NatsConnection> {
  const { host, username: user, password: pass } = new URL(nats.url(service));
  const connection = await connect({ servers: host, user, pass });
  onTestFinished(() => connection.close());
  return connection;
}

/** Those of the subjects for which the server refuses it. It says so before it answers the ping of a flush. */
async function refused(service: Service, operation: "publish" | "subscription", subjects: readonly string[]): Promise<string[]> {
  const connection = await connectAs(service);
  const found: string[] = [];
  const listen = async (): Promise<void> => {
    for await (const { permissionContext } of connection.status()) {
      if (permissionContext?.operation === operation) found.push(permissionContext.subject);
    }
  };
  // It does not end with the connection.
  void listen();
  for (const subject of subjects) {
    if (operation === "publish") connection.publish(subject);
    else connection.subscribe(subject, { callback: () => undefined });
    await connection.flush();
  }
  // What was said is heard a turn later.
  await setImmediate();
  return found;
}

const events = (name: string): string => `chargemesh.${name}.v1.Something.MQ`;
/** What nobody may: rule over streams, read what others are told, listen to everything. */
const NOBODYS = [
  "$JS.API.STREAM.LIST",
  "$JS.API.STREAM.NAMES",
  ...["auth", "charger", "audit"].flatMap((name) => [
    `$JS.API.STREAM.DELETE.chargemesh_${name}_v1`,
    `$JS.API.STREAM.PURGE.chargemesh_${name}_v1`,
    `$JS.API.STREAM.MSG.DELETE.chargemesh_${name}_v1`,
    `$JS.API.STREAM.MSG.GET.chargemesh_${name}_v1`,
    `$JS.API.DIRECT.GET.chargemesh_${name}_v1`,
    `$JS.API.CONSUMER.DURABLE.CREATE.chargemesh_${name}_v1.mine`,
    `$JS.API.CONSUMER.CREATE.chargemesh_${name}_v1.mine.chargemesh.${name}.v1.>`,
  ]),
  "$JS.API.STREAM.CREATE.mine",
  "$SYS.REQ.SERVER.PING",
  "anything",
];

const forbidden: Record<Service, string[]> = {
  auth: [
    events("charger"),
    events("email"),
    "chargemesh.charger.replicas",
    "chargemesh.charger.replica.1",
    "_INBOX.charger-service.1",
    "_INBOX.email-service.1",
    "$JS.API.STREAM.UPDATE.chargemesh_charger_v1",
    "$JS.API.CONSUMER.CREATE.chargemesh_charger_v1",
    "$JS.API.CONSUMER.CREATE.chargemesh_auth_v1",
    "$JS.API.CONSUMER.MSG.NEXT.chargemesh_auth_v1.email-user-created",
    "$JS.ACK.chargemesh_auth_v1.email-user-created.1.1.1.1.1",
  ],
  charger: [
    events("auth"),
    events("email"),
    "_INBOX.auth-service.1",
    "_INBOX.email-service.1",
    "$JS.API.STREAM.UPDATE.chargemesh_auth_v1",
    "$JS.API.STREAM.UPDATE.chargemesh_audit_v1",
    "$JS.API.CONSUMER.CREATE.chargemesh_auth_v1",
    "$JS.API.CONSUMER.CREATE.chargemesh_audit_v1",
    "$JS.API.CONSUMER.DELETE.chargemesh_audit_v1.auth-audit",
    "$JS.API.CONSUMER.MSG.NEXT.chargemesh_audit_v1.auth-audit",
    "$JS.ACK.chargemesh_audit_v1.auth-audit.1.1.1.1.1",
  ],
  email: [
    events("auth"),
    events("charger"),
    "chargemesh.charger.replicas",
    "_INBOX.auth-service.1",
    "_INBOX.charger-service.1",
    "$JS.API.STREAM.UPDATE.chargemesh_auth_v1",
    "$JS.API.STREAM.UPDATE.chargemesh_charger_v1",
    "$JS.API.STREAM.UPDATE.chargemesh_audit_v1",
    "$JS.API.CONSUMER.CREATE.chargemesh_auth_v1",
    "$JS.API.CONSUMER.CREATE.chargemesh_auth_v1.email-user-created.chargemesh.auth.v1.>",
    "$JS.API.CONSUMER.DELETE.chargemesh_auth_v1.email-user-created",
    "$JS.API.CONSUMER.MSG.NEXT.chargemesh_audit_v1.auth-audit",
    "$JS.ACK.chargemesh_audit_v1.auth-audit.1.1.1.1.1",
  ],
};

test.each(SERVICES)("%s-service publishes nothing that is another's", async (service) => {
  const own = `$JS.API.STREAM.MSG.GET.chargemesh_${service}_v1`;
  const subjects = [...forbidden[service], ...NOBODYS.filter((subject) => subject !== own)];
  expect(await refused(service, "publish", subjects)).toEqual(subjects);
});

const own: Record<Service, string[]> = {
  auth: [events("auth"), events("audit")],
  charger: [events("charger"), events("audit"), "chargemesh.charger.replicas", "chargemesh.charger.replica.1"],
  email: [events("email"), events("audit")],
};

test.each(SERVICES)("%s-service publishes its own", async (service) => {
  expect(await refused(service, "publish", own[service])).toEqual([]);
});

test.each(SERVICES)("%s-service hears what it is told, and nothing else", async (service) => {
  const replicas = ["chargemesh.charger.replicas", "chargemesh.charger.replica.1"];
  const others = [
    ...SERVICES.filter((other) => other !== service).map((other) => `_INBOX.${other}-service.>`),
    ...(service === "charger" ? [] : replicas),
    ...["auth", "charger", "audit"].map((name) => `chargemesh.${name}.v1.>`),
    "_INBOX.>",
    "chargemesh.>",
    "$JS.>",
    "$SYS.>",
    ">",
    "*",
  ];
  expect(await refused(service, "subscription", others)).toEqual(others);
  expect(await refused(service, "subscription", [`_INBOX.${service}-service.>`, ...(service === "charger" ? replicas : [])])).toEqual([]);
});

test("the consumers in the configuration are those of the services", () => {
  const read = (file: string): string => readFileSync(join(import.meta.dirname, "../..", file), "utf8");
  const files = [...SERVICES.map((service) => `${service}-service/src/start.ts`), "email-service/src/subscriptions.ts"];
  const inCode = files.flatMap((file) => [...read(file).matchAll(/(?:\bsubscribe\(nats, |^ {2}\[)"([^"]+)"/gm)]);
  const inConfiguration = read("deploy/nats.conf").matchAll(/\$JS\.API\.CONSUMER\.MSG\.NEXT\.\w+\.([\w-]+)"/g);
  expect([...inConfiguration].map(([, name]) => name).toSorted()).toEqual(inCode.map(([, name]) => name).toSorted());
});

test("nobody comes in without a password, or with another's", async () => {
  const { host, password } = new URL(nats.url("email"));
  await expect(connect({ servers: host, reconnect: false })).rejects.toThrow(/authorization/i);
  await expect(connect({ servers: host, user: "auth-service", pass: password, reconnect: false })).rejects.toThrow(/authorization/i);
});
