import type { Socket } from "./connection.ts";
import type { Wheel } from "./wheel.ts";

/** Whether somebody is at the other end. */
export interface Pulse {
  /** The peer has given a sign of life. */
  alive(): void;
  /** From now on nothing is read, so that nothing it says can be heard. */
  pause(): void;
  resume(): void;
  stop(): void;
}

/** Pings a socket again and again, and terminates it when a ping goes by without a sign of life. */
export function watchPulse(socket: Socket, seconds: number, wheel: Wheel, dead: () => void): Pulse {
  let isAlive = true;
  let isPaused = false;
  const beat = (): void => {
    if (!isAlive && !isPaused) {
      dead();
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
    next = wheel.in(seconds, beat);
  };
  let next = wheel.in(seconds, beat);
  return {
    alive() {
      isAlive = true;
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      isAlive = true;
    },
    stop: () => next(),
  };
}
