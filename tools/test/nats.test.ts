import { connect } from "nats";
import { expect, onTestFinished, test } from "vitest";
import { freshNats } from "../../test/servers.ts";

/** The client wants user and password apart. */
function optionsOf(url: string) {
  const { host, username: user, password: pass } = new URL(url);
  return { servers: host, user, pass };
}

async function start() {
  const server = await freshNats();
  onTestFinished(() => server.stop());
  return server;
}

test("what JetStream has acknowledged is there after a kill and a new start, at the same URL", async () => {
  const server = await start();
  const before = await connect(optionsOf(server.url));
  const manager = await before.jetstreamManager();
  await manager.streams.add({ name: "kept", subjects: ["kept.>"] });
  await before.jetstream().publish("kept.one", "yes");
  await before.close();
  await server.kill();
  await expect(connect({ ...optionsOf(server.url), reconnect: false })).rejects.toThrow("CONNECTION_REFUSED");

  await server.restart();
  const after = await connect(optionsOf(server.url));
  onTestFinished(() => after.close());
  const message = await (await after.jetstreamManager()).streams.getMessage("kept", { seq: 1 });
  expect(message.string()).toBe("yes");
});

test("only the password lets in", async () => {
  const server = await start();
  await expect(connect({ ...optionsOf(server.url), pass: "a-guess", reconnect: false })).rejects.toThrow(/Authorization/i);
});
