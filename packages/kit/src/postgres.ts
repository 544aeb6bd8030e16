import { Kysely, sql, type Transaction } from "kysely";
import { DatabaseError, types } from "pg";
import { AppError } from "./errors.ts";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import { postgresDialect } from "./postgres-dialect.ts";
import { readTimestamptz } from "./postgres-time.ts";

/** A statement that takes longer is a bug, in ms. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** A transaction that waits longer for its next statement is one, too; what it has locked, others wait for. */
const IDLE_IN_TRANSACTION_MS = 30_000;
/** How long a caller waits for a free connection, in ms. */
const CONNECTION_TIMEOUT_MS = 5_000;
/** When the server asks whether we are still there, how often, and after how many silences we are not: a host that has vanished keeps its locks no longer. */
const KEEPALIVE = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3";
/** Serialization failure, deadlock. */
const RETRYABLE = new Set(["40001", "40P01"]);
const ATTEMPTS_MAX = 5;
/** Classes of SQLSTATE that say that the server is not there for us: connection, resources, operator intervention, system; and a statement that took too long. */
const UNAVAILABLE = /^(08|53|57P|58|57014)/;
const NETWORK = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/;

const typeParsers = {
  getTypeParser(oid: number, format?: "text" | "binary") {
    // Our bigint columns are counters and ids far below 2^53.
    if (oid === types.builtins.INT8) return Number;
    return oid === types.builtins.TIMESTAMPTZ ? readTimestamptz : types.getTypeParser(oid, format ?? "text");
  },
};

/** Opens the pool of a service on its schema. A database that is away is no error here: queries say so. */
export function openPostgres<DB>(url: string, schema: string, poolSize: number, stack: Stack, log: Logger): Kysely<DB> {
  const options = {
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    // A server that has vanished without a word is noticed.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: `-c search_path=${schema} -c timezone=UTC ${KEEPALIVE}`,
    application_name: schema,
    types: typeParsers,
  };
  const db = new Kysely<DB>({ dialect: postgresDialect(options, log) });
  stack.defer("postgres", () => db.destroy());
  return db;
}

/** The check for health: whether the database answers. */
export function pingPostgres<DB>(db: Kysely<DB>): Promise<unknown> {
  return sql`select 1`.execute(db);
}

/** Runs `work` in a transaction, again if Postgres asks for that (serialization failure, deadlock). */
export async function transact<DB, T>(db: Kysely<DB>, work: (tx: Transaction<DB>) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (err) {
      if (!(err instanceof DatabaseError) || !RETRYABLE.has(err.code ?? "") || attempt === ATTEMPTS_MAX) throw err;
    }
  }
}

/** Whether `err` says that this unique or foreign key constraint is broken. */
export function violates(err: unknown, constraint: string): boolean {
  return err instanceof DatabaseError && (err.code === "23505" || err.code === "23503") && err.constraint === constraint;
}

/** A database that is away, as UNAVAILABLE; anything else as it was. */
export function withoutDatabase(err: unknown): unknown {
  return isUnavailable(err)
    ? new AppError("unavailable", "DATABASE_UNAVAILABLE", "The database is not available. Try again.", { cause: err })
    : err;
}

function isUnavailable(err: unknown): boolean {
  if (err instanceof DatabaseError) return UNAVAILABLE.test(err.code ?? "");
  if (!(err instanceof Error)) return false;
  const code = "code" in err ? String(err.code) : "";
  // What pg itself throws has no code.
  return (
    NETWORK.test(code) ||
    /Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
      err.message,
    )
  );
}

/**
 * A value as the text of a jsonb column. Postgres refuses what is no Unicode text, U+0000 and lone surrogates; both become U+FFFD.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(/\\(?:u0000|ud[89a-f][0-9a-f]{2}|.)/g, (sequence) =>
    /^\\u(0000|d[89a-f])/.test(sequence) ? "\\ufffd" : sequence,
  );
}
