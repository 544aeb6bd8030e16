import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";
import type { Service } from "./service.ts";

/** A charger that is connected by OCPP 1.6-J and has booted. */
export interface TestCharger {
  /** Sends a CALL and answers what comes back. Throws if it is a CALLERROR. */
  call<T = unknown>(action: string, payload: object): Promise<T>;
  leave(): Promise<void>;
}

/** Connects as this charger and boots. `answer` is what it says to each CALL of ours. */
export async function connectCharger(
  service: Service,
  { id, password }: { id: string; password: string },
  answer: (action: string, payload: object) => object = () => ({ status: "Accepted" }),
): Promise<TestCharger> {
  const authorization = `Basic ${Buffer.from(`${id}:${password}`).toString("base64")}`;
  const socket = new WebSocket(`ws://${service.ocppAddress}/${id}`, ["ocpp1.6"], { headers: { authorization } });
  const waiting = new Map<string, PromiseWithResolvers<never>>();
  socket.on("message", (data) => {
    const [kind, messageId, ...rest] = JSON.parse(String(data));
    if (kind === 2) socket.send(JSON.stringify([3, messageId, answer(rest[0], rest[1])]));
    if (kind === 3) waiting.get(messageId)?.resolve(rest[0] as never);
    if (kind === 4) waiting.get(messageId)?.reject(new Error(rest.join(" ")));
  });
  await once(socket, "open");
  const call = <T>(action: string, payload: object): Promise<T> => {
    const messageId = randomUUID();
    const answered = Promise.withResolvers<never>();
    waiting.set(messageId, answered);
    socket.send(JSON.stringify([2, messageId, action, payload]));
    return answered.promise;
  };
  await call("BootNotification", { chargePointVendor: "Test", chargePointModel: "One" });
  return {
    call,
    async leave() {
      if (socket.readyState === WebSocket.CLOSED) return;
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}
