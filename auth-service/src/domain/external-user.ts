import { randomBytes } from "node:crypto";
import { recordAudit, userActor } from "@chargemesh/kit/audit";
import type { Clock } from "@chargemesh/kit/clock";
import { type ExternalPerson, externalUserId } from "@chargemesh/kit/oidc";
import { transact } from "@chargemesh/kit/postgres";
import { externalUserById, insertExternalUser } from "../db/external-user.ts";
import type { Db } from "../db/schema.ts";
import { changeUser, type UserRow } from "../db/user.ts";
import { userCreated, userUpdated } from "../events.ts";
import type { Passwords } from "./passwords.ts";

/** How long a new user may wait for a turn at hashing, in ms. */
const HASH_MS = 3_000;

export interface ExternalUsers {
  db: Db;
  passwords: Passwords;
  clock: Clock;
}

/**
 * The user that a person of another identity provider is here; who is new is made one, and what has changed is taken over. Undefined if the
 * user has been disabled. They never sign in with us: no name of theirs is one that anybody could sign in by, and nobody has their password.
 */
export async function admitExternalUser(users: ExternalUsers, person: ExternalPerson): Promise<UserRow | undefined> {
  const id = externalUserId(person.issuer, person.subject);
  const known = await externalUserById(users.db, id);
  const user = known ?? (await makeUser(users, id, person)) ?? (await externalUserById(users.db, id));
  if (user === undefined || user.disable_time !== null) return undefined;
  const { username, email, role } = user;
  const isSame = username === person.username && (email ?? "") === person.email && role === person.role;
  return isSame ? user : takeOver(users, id, person);
}

async function makeUser({ db, passwords, clock }: ExternalUsers, id: string, person: ExternalPerson): Promise<UserRow | undefined> {
  const passwordHash = await passwords.hash(randomBytes(32).toString("base64url"), AbortSignal.timeout(HASH_MS));
  return transact(db, async (tx) => {
    const made = await insertExternalUser(tx, {
      id,
      // Keys that people sign in by have no upper case.
      username_key: `EXTERNAL ${id}`,
      password_hash: passwordHash,
      issuer: person.issuer,
      subject: person.subject,
      create_time: clock.now(),
      ...said(person, clock.now()),
    });
    if (made === undefined) return undefined;
    await userCreated(tx, made);
    await recordAdmission(tx, made);
    return made;
  });
}

function takeOver({ db, clock }: ExternalUsers, id: string, person: ExternalPerson): Promise<UserRow> {
  return transact(db, async (tx) => {
    const updated = await changeUser(tx, id, said(person, clock.now()));
    await userUpdated(tx, updated);
    await recordAdmission(tx, updated);
    return updated;
  });
}

/** They come with a call of any rpc, to whichever service. */
function recordAdmission(tx: Db, user: UserRow): Promise<void> {
  const action = "chargemesh.auth.v1.IdentityService/AdmitExternalUser";
  return recordAudit(tx, { action, resource: `users/${user.id}`, actor: userActor(user), details: { role: user.role } });
}

/** What the provider says of a person. Their address is not one to find them by: they have no password to reset. */
function said({ username, email, role }: ExternalPerson, now: Date) {
  return { username, email: email === "" ? null : email, email_verify_time: email === "" ? null : now, role };
}
