import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { StartError } from "../servers/start-error.ts";
import { type Address, reachable, type Settings } from "./settings.ts";

/** More than a slow machine needs, in ms. */
const HEALTHY_MS = 60_000;
const ANSWER_MS = 2_000;
const POLL_MS = 100;

/** Waits until all listen and the gateway says that everything serves. Rejects with StartError and what is missing if that never comes. */
export async function untilHealthy(addresses: readonly Address[], settings: Settings): Promise<void> {
  const end = Date.now() + HEALTHY_MS;
  const within = async (isSo: () => Promise<string | undefined>): Promise<void> => {
    for (let missing = await isSo(); missing !== undefined; missing = await isSo()) {
      if (Date.now() > end) throw new StartError(`Not healthy after ${HEALTHY_MS / 1_000} s: ${missing}.`);
      await sleep(POLL_MS);
    }
  };
  // The gateway would ask services that are not there yet, and complain.
  for (const address of addresses) await within(() => whyNotListening(address));
  await within(() => whyNotHealthy(`http://${reachable(settings, "GATEWAY_ADDRESS")}/health`));
}

async function whyNotListening({ setting, host, port }: Address): Promise<string | undefined> {
  const socket = connect(port, host);
  try {
    await once(socket, "connect");
    return undefined;
  } catch {
    return `nothing listens at ${host}:${port} (${setting})`;
  } finally {
    socket.destroy();
  }
}

async function whyNotHealthy(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await answer.text();
    return answer.status === 200 ? undefined : `${url} answers ${answer.status} ${text}`;
  } catch (err) {
    return `${url} does not answer (${err instanceof Error ? err.message : err})`;
  }
}
