import { expect } from "vitest";
import type { Random } from "../random.ts";
import type { Site } from "../site.ts";
import { Refusal, type Station } from "../station.ts";
import type { Servers } from "./servers.ts";

/** Something that a charger has to say, until it knows that it was heard. */
export interface Message {
  readonly action: string;
  readonly payload: object;
  /** Of the CALL that says it first; some chargers keep it when they say it again. */
  readonly id: string;
  /** Whether each answer is another: one to a boot tells the time. */
  readonly varies?: boolean;
  /** What it was answered first, whether the charger has heard it or not. */
  answer?: object;
}

/** A bad line between a charger and us: what goes over it gets lost, comes twice, comes late, and the sockets break. */
export interface Line {
  /** Says it once, and answers what the charger hears: undefined if that is nothing. Every answer that arrives must be the first one again. */
  say(message: Message): Promise<object | undefined>;
  /** Breaks the socket, and comes back on another. */
  reconnect(): Promise<void>;
  leave(): Promise<void>;
}

export async function openLine(site: Site, servers: Servers, id: string, random: Random): Promise<Line> {
  const connect = async (): Promise<Station> => {
    for (;;) {
      try {
        return await site.connect(id, {}, servers.pick(random));
      } catch (err) {
        // It was killed in this moment; or so often has one socket taken over from another that a minute has to go by, as it does here.
        if (err instanceof Refusal && err.status === 429) await letAMinutePass(site, id);
        else if (err instanceof Refusal && err.status !== 503) throw err;
        // It is stopping, or its database is busy: a charger comes again.
        else await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  let station = await connect();
  let repeats = 0;
  /** What is answered to it on this socket; undefined if the socket breaks before. */
  const hear = async (of: Station, message: Message, messageId: string): Promise<object | undefined> => {
    // What is said to a socket that has ended is answered by nobody.
    if (of.socket.readyState === of.socket.CLOSED) return undefined;
    const frame = await of.call(message.action, message.payload, messageId).catch(() => undefined);
    if (frame === undefined) return undefined;
    expect(frame).toEqual([3, messageId, expect.anything()]);
    const answer = frame[2] as object;
    message.answer ??= answer;
    if (message.varies !== true) expect(answer).toEqual(message.answer);
    return answer;
  };
  const idOf = ({ id: first }: Message): string => (random.chance(0.5) ? first : `${first}-${repeats++}`);
  const reconnect = async (): Promise<void> => {
    const before = station;
    const luck = random();
    if (luck < 0.3) before.socket.terminate();
    else if (luck < 0.6) before.socket.close();
    station = await connect();
    // The rest was taken over: the old socket is closed from the other side, or was by a kill.
    if (luck >= 0.6) await before.closed;
  };
  return {
    reconnect,
    async say(message) {
      const luck = random();
      // Never leaves the charger.
      if (luck < 0.05) return undefined;
      const first = hear(station, message, idOf(message));
      if (luck < 0.2) {
        // Its answer is lost with the socket, or comes after the next socket has asked again.
        await reconnect();
        const again = luck < 0.12 ? hear(station, message, idOf(message)) : undefined;
        await first;
        return again;
      }
      if (luck < 0.3) {
        station.say([2, message.id, message.action, message.payload]);
        const [answer] = await Promise.all([first, hear(station, message, `${message.id}-${repeats++}`)]);
        return answer ?? void (await reconnect());
      }
      const answer = await first;
      if (answer === undefined) await reconnect();
      // It has come, and the charger forgets it.
      return luck < 0.35 ? undefined : answer;
    },
    async leave() {
      await station.leave();
    },
  };
}

/** A minute goes by in which nobody takes over. */
async function letAMinutePass(site: Site, id: string): Promise<void> {
  await site.rows("update connection set close_time = close_time - interval '1 minute' where charger_id = $1", [id]);
}
