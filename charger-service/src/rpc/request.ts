import { innerDeadline } from "@chargemesh/kit/deadline";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import type { Caller } from "@chargemesh/kit/identity";
import type { SecurityProfile } from "../db/schema.ts";
import { isPoor, passwordBytes } from "../domain/password.ts";

// What several requests have in common, read in one place.

/** What is left of a proto enum without the value that says nothing and the one that ts-proto adds. */
type Said<E extends string> = Exclude<E, `${string}_UNSPECIFIED` | "UNRECOGNIZED">;

function isSaid<E extends string>(value: E): value is Said<E> {
  return value !== "UNRECOGNIZED" && !value.endsWith("_UNSPECIFIED");
}

/** The value of a proto enum; undefined if it is unspecified. */
export function said<E extends string>(value: E): Said<E> | undefined {
  return isSaid(value) ? value : undefined;
}

/** The value of a proto enum that must be specified, because update_mask names it. INVALID_ARGUMENT if it is not. */
export function mustSay<E extends string>(field: string, value: E): Said<E> {
  if (isSaid(value)) return value;
  throw badRequest([{ field, description: "is required" }]);
}

/** A text, or undefined if it is empty: proto3 does not tell them apart. */
export function text(value: string): string | undefined {
  return value === "" ? undefined : value;
}

/** The fields that an update changes, each once. INVALID_ARGUMENT if the mask names none, or one that is not among `fields`. */
export function readUpdateMask<const F extends string>(mask: readonly string[] | undefined, fields: readonly F[]): ReadonlySet<F> {
  const changeable = fields.join(", ");
  if (mask === undefined || mask.length === 0) throw badRequest([{ field: "update_mask", description: `must name some of ${changeable}` }]);
  const others = mask.filter((path) => !fields.some((field) => field === path));
  if (others.length > 0) {
    throw badRequest(others.map((path) => ({ field: "update_mask", description: `must not name ${path}, only ${changeable}` })));
  }
  return new Set(fields.filter((field) => mask.includes(field)));
}

/** The values of a repeated proto enum, each once. INVALID_ARGUMENT if one says nothing. */
export function readSet<E extends string>(field: string, values: readonly E[]): Said<E>[] {
  return [...new Set(values.map((value, i) => mustSay(`${field}[${i}]`, value)))];
}

/** The bytes of a charger's password. INVALID_ARGUMENT if it is too easily guessed. */
export function readPassword(field: string, password: string): Buffer {
  const bytes = passwordBytes(password);
  if (isPoor(bytes)) throw badRequest([{ field, description: "is too easily guessed: at least 8 of its bytes must differ" }]);
  return bytes;
}

const securityProfiles = [0, 1, 2, 3] as const;

/** A security profile, which must be said. INVALID_ARGUMENT if it is none. */
export function readSecurityProfile(field: string, value: number | undefined): SecurityProfile {
  const profile = securityProfiles.find((one) => one === value);
  if (profile === undefined) throw badRequest([{ field, description: "must be 0, 1, 2 or 3" }]);
  return profile;
}

/** What comes in by security profile 0 has no password. INVALID_ARGUMENT if one is given. */
export function mustBeWithoutPassword({ password }: { password?: string | undefined }): void {
  if (password) throw badRequest([{ field: "charger.password", description: "must be left out with security profile 0" }]);
}

/** No row ever has this version. */
const NO_VERSION = 0;

/** The version that an etag stands for; undefined if none was given. One that is not of ours stands for a version that no row has. */
export function readEtag(etag: string): number | undefined {
  if (etag === "") return undefined;
  return /^[1-9]\d{0,8}$/.test(etag) ? Number(etag) : NO_VERSION;
}

/** What google.protobuf.Timestamp can hold. Postgres can, too; a Date can do more, or be none at all. */
const TIME_MIN = Date.parse("0001-01-01T00:00:00Z");
const TIME_MAX = Date.parse("9999-12-31T23:59:59.999Z");

/** A time. INVALID_ARGUMENT if it is not one that a Timestamp may hold. */
export function readTime(field: string, time: Date): Date {
  if (time.getTime() >= TIME_MIN && time.getTime() <= TIME_MAX) return time;
  throw badRequest([{ field, description: "must be in the years 1 to 9999" }]);
}

/** How long to wait for a charger where nothing is said, and at most, in s. */
const WAIT = { ordinary: 10, max: 30 };
/** How long it may take to put a command into the books, hand it over and, after the wait, read what became of it, in s. */
const BOOKS_SECONDS = 0.25;

/** How long to wait for a charger's answer, in s: so that we answer before our own caller gives up. DEADLINE_EXCEEDED if it is too late to begin. */
export function readWaitSeconds(asked: number, deadline: number): number {
  const now = Date.now();
  const inner = innerDeadline(deadline, now);
  if (inner === undefined) throw new AppError("deadlineExceeded", "DEADLINE_TOO_SHORT", "There is too little time left to begin.");
  const left = Math.max(0, (inner - now) / 1000 - BOOKS_SECONDS);
  return Math.min(asked === 0 ? WAIT.ordinary : asked, WAIT.max, left);
}

/** Who asks, for the books. */
export function userOf(caller: Caller): string | undefined {
  return caller.kind === "user" ? caller.userId : undefined;
}
