import { UserCreated, UserUpdated } from "@chargemesh/contracts/auth/v1/events";
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
