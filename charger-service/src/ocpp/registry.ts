import type { Connection } from "./connection.ts";

/** The connections that this replica holds, by charger. */
export interface Registry {
  get(chargerId: string): Connection | undefined;
  /** Adds a connection. An older one of the same charger is closed as superseded; if there is a newer one already, this one is. */
  add(connection: Connection): void;
  /** Removes a connection, if it is still the one that is there. */
  remove(connection: Connection): void;
  all(): Connection[];
}

/** WebSocket close code of a connection that a newer one has taken the place of: "going away" is what chargers understand. */
export const SUPERSEDED_CODE = 1001;

export function makeRegistry(): Registry {
  const connections = new Map<string, Connection>();
  return {
    get: (chargerId) => connections.get(chargerId),
    add(connection) {
      const other = connections.get(connection.chargerId);
      const [newer, older] = other !== undefined && other.epoch > connection.epoch ? [other, connection] : [connection, other];
      connections.set(connection.chargerId, newer);
      older?.close(SUPERSEDED_CODE, "SUPERSEDED");
    },
    remove(connection) {
      if (connections.get(connection.chargerId) === connection) connections.delete(connection.chargerId);
    },
    all: () => [...connections.values()],
  };
}
