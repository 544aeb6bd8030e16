import type { Actor } from "@chargemesh/kit/audit";
import type { Role } from "@chargemesh/kit/identity";
import type { OutboxTable } from "@chargemesh/kit/outbox";
import type { ColumnType, Generated, Kysely } from "kysely";

/** The Postgres schema of this service. Nobody else reads it. */
export const SCHEMA = "authentication";

export interface UserTable {
  id: string;
  /** As it was typed, in Unicode NFC. */
  username: string;
  /** What must be unique: the username without regard to case. */
  username_key: string;
  email: string | null;
  /** What it is found by: the email without regard to case. */
  email_key: string | null;
  /** When somebody showed that the email is theirs; null if nobody did. */
  email_verify_time: Date | null;
  /** Since when the user may not sign in; null if they may. */
  disable_time: Date | null;
  role: Role;
  /** argon2id in PHC format, with the parameters that it was made with. */
  password_hash: string;
  create_time: Date;
  /** Of a user whom another identity provider knows: which, and as whom. Null if the user is ours. */
  issuer: string | null;
  subject: string | null;
  /** In which the user is written to: one of those offered. */
  language: Generated<string>;
}

/** From where a user has signed in. */
export interface DeviceTable {
  user_id: string;
  /** HMAC of the kind of program and the network. */
  hash: Buffer;
  /** When it is forgotten, unless it is used again. */
  expire_time: Date;
}

/** A user who is signed in somewhere. All refresh tokens of a session share its family; only the newest is good. */
export interface SessionTable {
  id: string;
  user_id: string;
  /** SHA-256 of what the session's refresh tokens have in common. */
  family_hash: Buffer;
  /** SHA-256 of the one refresh token that is good. */
  token_hash: Buffer;
  /** SHA-256 of the one that was exchanged for it; null if it is the first. */
  previous_hash: Buffer | null;
  create_time: Date;
  /** When the good token was made. */
  refresh_time: Date;
  expire_time: Date;
  /** For whom it was made: the IP address, and the program by its own word. */
  remote_address: string;
  user_agent: string;
}

/** What a program shows in place of an access token. */
export interface ApiKeyTable {
  id: string;
  user_id: string;
  /** SHA-256 of the secret. */
  secret_hash: Buffer;
  display_name: string;
  /** The most that it may be; its user's role may be less. */
  role: Role;
  scopes: string[];
  /** The chargers that it is restricted to; empty means all. */
  charger_ids: string[];
  create_time: Date;
  expire_time: Date;
  /** To within a minute or so. */
  last_use_time: Date | null;
}

export type TokenPurpose = "VERIFY_EMAIL" | "CHANGE_EMAIL" | "RESET_PASSWORD";

/** A token that was mailed to somebody, good for one use. */
export interface OneTimeTokenTable {
  /** SHA-256 of the token. */
  hash: Buffer;
  /** Null if it was asked for somebody who is nobody: it makes the same work, and nobody has it. */
  user_id: string | null;
  purpose: TokenPurpose;
  /** Where it was mailed. */
  email: string | null;
  expire_time: Date;
}

/** How often something was tried that may not be tried for ever. */
export interface AttemptsTable {
  /** SHA-256 of what is counted: a username, an address. */
  key: Buffer;
  count: number;
  /** When it is forgotten. */
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
  device: DeviceTable;
  session: SessionTable;
  api_key: ApiKeyTable;
  signing_key: SigningKeyTable;
  one_time_token: OneTimeTokenTable;
  attempts: AttemptsTable;
  audit_entry: AuditEntryTable;
  outbox: OutboxTable;
}

/** The database, or a transaction in it. */
export type Db = Kysely<Database>;
