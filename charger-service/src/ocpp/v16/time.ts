import { toDate } from "@chargemesh/ocpp/date-time";

/** What google.protobuf.Timestamp can hold; OCPP can write a day more at either end. */
const TIME_MIN = Date.parse("0001-01-01T00:00:00Z");
const TIME_MAX = Date.parse("9999-12-31T23:59:59.999Z");

/** The moment that a charger names. One that nothing of ours could show becomes the next that can be: what was said then is not lost. */
export function toTime(text: string): Date {
  return new Date(Math.min(Math.max(toDate(text).getTime(), TIME_MIN), TIME_MAX));
}
