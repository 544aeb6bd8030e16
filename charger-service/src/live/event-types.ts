import { JOURNALED } from "@chargemesh/kit/event-streams";
import { readEventTypes } from "@chargemesh/kit/event-types";
import { loadProtos } from "@chargemesh/kit/rules";

/** All types of events that the journal has, by full name. */
export const eventTypes = readEventTypes(loadProtos(JOURNALED.map((name) => `${name.replaceAll(".", "/")}/events.proto`)));

/** Those that are for administrators alone. */
export const adminTypes = [...eventTypes.values()].flatMap(({ type, audience }) => (audience === "ADMIN" ? type : []));
