import type { Actor } from "@chargemesh/kit/audit";
import type { Role } from "@chargemesh/kit/identity";
import type { OutboxTable } from "@chargemesh/kit/outbox";
import type { ColumnType, Kysely } from "kysely";

/** The Postgres schema of this service. Nobody else reads it. */
export const SCHEMA = "authentication";

export interface UserTable {
  id: string;
  /** As it was typed, in Unicode NFC. */
  username: string;
  /** What must be unique: the username without regard to case. */
  username_key: string;
  email: string | null;
  role: Role;
  /** argon2id in PHC format, with the parameters that it was made with. */
  password_hash: string;
  create_time: Date;
}

/** A user who is signed in somewhere. All refresh tokens of a session share its family; only the newest is good. */
export interface SessionTable {
  id: string;
  user_id: string;
  /** SHA-256 of what the session's refresh tokens have in common. */
  family_hash: Buffer;
  /** SHA-256 of the one refresh token that is good. */
  token_hash: Buffer;
  create_time: Date;
  /** When the good token was made. */
  refresh_time: Date;
  expire_time: Date;
}

/** A key that signs access tokens from its activate_time on, until a younger one does, and is published until its expire_time. */
export interface SigningKeyTable {
  kid: string;
  public_x: string;
  public_y: string;
  /** PKCS #8, sealed with AUTH_KEY_SECRET. */
  private_key: Buffer;
  create_time: Date;
  activate_time: Date;
  expire_time: Date | null;
}

/** Who did what. The service may add rows and read them; only forget_audit_entries removes any. */
export interface AuditEntryTable {
  /** Of the event that told of it. */
  id: string;
  time: Date;
  actor_kind: Actor["kind"];
  actor_id: string;
  actor_name: string;
  api_key_id: string;
  action: string;
  resource: string;
  result: string;
  remote_address: string;
  request_id: string;
  /** JSON on its way in; names to texts on its way out. */
  details: ColumnType<Readonly<Record<string, string>>, string, never>;
  count: number;
}

export interface Database {
  user: UserTable;
  session: SessionTable;
  signing_key: SigningKeyTable;
  audit_entry: AuditEntryTable;
  outbox: OutboxTable;
}

/** The database, or a transaction in it. */
export type Db = Kysely<Database>;
