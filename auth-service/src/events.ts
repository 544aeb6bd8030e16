import { randomUUID } from "node:crypto";
import {
  OneTimeTokenIssued,
  PasswordResetRequested,
  SecurityNoticeRaised,
  type SecurityNoticeRaised_Kind,
  UserCreated,
  UserDeleted,
  UserDisabled,
  UserEnabled,
  UserUpdated,
  UserVerified,
} from "@chargemesh/contracts/auth/v1/events";
import { callContext } from "@chargemesh/kit/call-context";
import { appendEvent } from "@chargemesh/kit/outbox";
import type { Transaction } from "kysely";
import type { Database } from "./db/schema.ts";
import type { UserRow } from "./db/user.ts";
import { toUser } from "./resources.ts";

export async function userCreated(tx: Transaction<Database>, user: UserRow): Promise<void> {
  await appendEvent(tx, UserCreated, user.id, { user: toUser(user) });
}

export async function userUpdated(tx: Transaction<Database>, user: UserRow): Promise<void> {
  await appendEvent(tx, UserUpdated, user.id, { user: toUser(user) });
}

/** Told beside userUpdated, as the two that follow are. */
export async function userVerified(tx: Transaction<Database>, user: UserRow): Promise<void> {
  await appendEvent(tx, UserVerified, user.id, { user: toUser(user) });
}

export async function userDisabledOrEnabled(tx: Transaction<Database>, user: UserRow): Promise<void> {
  await appendEvent(tx, user.disable_time === null ? UserEnabled : UserDisabled, user.id, { user: toUser(user) });
}

/** For somebody who is nobody it makes the same work. */
export async function passwordResetRequested(tx: Transaction<Database>, userId: string | undefined): Promise<void> {
  const remoteAddress = callContext()?.remoteAddress ?? "";
  await appendEvent(tx, PasswordResetRequested, userId ?? randomUUID(), { userId: userId ?? "", remoteAddress });
}

export async function userDeleted(tx: Transaction<Database>, userId: string): Promise<void> {
  await appendEvent(tx, UserDeleted, userId, { userId });
}

export type NoticeKind = Exclude<SecurityNoticeRaised_Kind, "KIND_UNSPECIFIED" | "UNRECOGNIZED">;

/** Tells a user by mail of something that may not have been them, and from where it was done. Without an address nobody is told. */
export async function securityNotice(
  tx: Transaction<Database>,
  { id, email, username, language }: Pick<UserRow, "id" | "email" | "username" | "language">,
  kind: NoticeKind,
  time: Date,
): Promise<void> {
  const { remoteAddress = "", userAgent = "" } = callContext() ?? {};
  const what = { kind, time, remoteAddress, userAgent };
  await appendEvent(tx, SecurityNoticeRaised, id, { userId: id, email: email ?? "", username, language, ...what });
}

/** Tells a user that nobody can sign in as them for a while. For somebody who is nobody it makes the same work, and tells nobody. */
export async function lockedOut(tx: Transaction<Database>, user: UserRow | undefined, time: Date): Promise<void> {
  await securityNotice(tx, user ?? { id: randomUUID(), email: null, username: "", language: "" }, "LOCKED_OUT", time);
}

/** Has a one-time token mailed. `aggregateId` is its user's id, or anything if it is nobody's. */
export async function oneTimeTokenIssued(tx: Transaction<Database>, aggregateId: string, issued: OneTimeTokenIssued): Promise<void> {
  await appendEvent(tx, OneTimeTokenIssued, aggregateId, issued);
}
