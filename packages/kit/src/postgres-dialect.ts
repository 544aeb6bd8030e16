import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  SelectQueryNode,
  type TransactionSettings,
} from "kysely";
import { Client, Pool, type PoolClient, type PoolConfig, type QueryConfig, type QueryResult as Rows } from "pg";
import type { Logger } from "./log.ts";

/** Connections that many reads share at once. With more of them more sessions are woken for the same work. */
const READERS_MAX = 3;
/** Reads under way on one of them before the next one helps. */
const READS_AT_ONCE = 16;
/** One whose oldest read takes longer than this, in ms, is left to it. */
const SLOW_MS = 5;
/** Statements that a session keeps prepared. A program has some hundred, unless it writes values into them. */
const STATEMENTS_MAX = 1_000;

type PoolOptions = PoolConfig & { max: number };

/**
 * Kysely on `pg`, with `max` connections at most. Every statement is prepared once a session. What is selected outside of a transaction
 * shares a few pipelined connections, because to wake a session costs more than such a read; anything else has a connection to itself.
 */
export function postgresDialect(options: PoolOptions, log: Logger): Dialect {
  return {
    createDriver: () => makeDriver(options, log),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}

function makeDriver(options: PoolOptions, log: Logger): Driver {
  const readers = openReaders(Math.min(READERS_MAX, options.max - 1), options, log);
  const pool = new Pool({ ...options, max: options.max - readers.count });
  // Connections that break are replaced by the pool. Unheard, one that breaks while it is held and not asked anything would end the process.
  pool.on("connect", (client) => client.on("error", (err) => log.warn({ err }, "lost a database connection")));
  pool.on("error", () => undefined);
  const nameOf = nameStatements();
  const say = (connection: DatabaseConnection, text: string): Promise<QueryResult<{ command?: string }>> =>
    connection.executeQuery(CompiledQuery.raw(text));
  return {
    init: async () => undefined,
    acquireConnection: async () => new Lease(pool, readers, nameOf),
    async beginTransaction(connection, settings) {
      await say(connection, beginning(settings));
    },
    async commitTransaction(connection) {
      const { rows } = await say(connection, "commit");
      // That is how Postgres says that a statement had failed and nothing is kept.
      if (rows[0]?.command === "ROLLBACK") throw new Error("the transaction had failed before its commit");
    },
    async rollbackTransaction(connection) {
      await say(connection, "rollback").catch((err: unknown) => {
        if (connection instanceof Lease) connection.release(true);
        throw err;
      });
    },
    async releaseConnection(connection) {
      if (connection instanceof Lease) connection.release(false);
    },
    async destroy() {
      await Promise.all([pool.end(), readers.end()]);
    },
  };
}

function beginning({ isolationLevel, accessMode }: TransactionSettings): string {
  return ["begin", isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(Boolean).join(" ");
}

/** What Kysely takes for a connection: one of its own from the first statement on that needs it. */
class Lease implements DatabaseConnection {
  readonly #pool: Pool;
  readonly #readers: Readers;
  readonly #nameOf: (text: string) => string | undefined;
  #own: PoolClient | undefined;

  constructor(pool: Pool, readers: Readers, nameOf: (text: string) => string | undefined) {
    this.#pool = pool;
    this.#readers = readers;
    this.#nameOf = nameOf;
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    const { sql: text, parameters } = compiled;
    // What has no values is said in one message as it is.
    const name = parameters.length > 0 ? this.#nameOf(text) : undefined;
    const query: QueryConfig = { text, values: [...parameters], ...(name === undefined ? {} : { name }) };
    if (this.#own === undefined && this.#readers.count > 0 && isRead(compiled)) return toResult(await this.#readers.query(query));
    this.#own ??= await this.#pool.connect();
    return toResult(await this.#own.query(query));
  }

  streamQuery(): never {
    throw new Error("rows are not streamed");
  }

  /** Gives the connection back; one that is broken is closed. */
  release(isBroken: boolean): void {
    this.#own?.release(isBroken);
    this.#own = undefined;
  }
}

/** Whether a statement waits for no lock of another session, so that it may stand in line with others. What is written by hand may do anything. */
function isRead({ query }: CompiledQuery): boolean {
  return SelectQueryNode.is(query) && query.endModifiers === undefined && query.with === undefined;
}

const writing = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

function toResult<R>({ command, rowCount, rows }: Rows): QueryResult<R> {
  if (command === "COMMIT" || command === "ROLLBACK") return { rows: [{ command } as R] };
  return writing.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0), rows } : { rows };
}

/** Names statements by their text: under its name a session keeps each prepared. Undefined if there are too many. */
function nameStatements(): (text: string) => string | undefined {
  const names = new Map<string, string>();
  return (text) => {
    const name = names.get(text);
    if (name !== undefined || names.size >= STATEMENTS_MAX) return name;
    const fresh = `s${names.size}`;
    names.set(text, fresh);
    return fresh;
  };
}

/** A connection on which reads are sent without waiting for the answers to those before. */
interface Reader {
  client: Promise<Client> | undefined;
  inFlight: number;
  /** Since when it owes an answer, in ms of performance.now(). */
  since: number;
}

interface Readers {
  readonly count: number;
  query(config: QueryConfig): Promise<Rows>;
  end(): Promise<void>;
}

function openReaders(count: number, options: PoolOptions, log: Logger): Readers {
  const readers = Array.from({ length: count }, (): Reader => ({ client: undefined, inFlight: 0, since: 0 }));
  const connect = (reader: Reader): Promise<Client> => {
    const client = new Client({ ...options, pipeline: true });
    const opened = client.connect().then(() => client);
    // By the time that one is heard to have ended there may be another in its place.
    const forget = (): void => {
      if (reader.client === opened) reader.client = undefined;
    };
    client.on("error", (err) => {
      log.warn({ err }, "lost a database connection");
      forget();
    });
    client.on("end", forget);
    opened.catch(forget);
    return opened;
  };
  return {
    count,
    async query(config) {
      const reader = choose(readers);
      if (reader.inFlight++ === 0) reader.since = performance.now();
      try {
        reader.client ??= connect(reader);
        return await (await reader.client).query(config);
      } finally {
        reader.inFlight--;
        reader.since = performance.now();
      }
    },
    async end() {
      const ending = readers.map(async ({ client }) => (await client?.catch(() => undefined))?.end());
      await Promise.all(ending);
    },
  };
}

/** The first that is prompt and has room; else the one with the least to do. */
function choose(readers: readonly Reader[]): Reader {
  const now = performance.now();
  const isPrompt = ({ inFlight, since }: Reader): boolean => inFlight === 0 || (inFlight < READS_AT_ONCE && now - since < SLOW_MS);
  const [first, ...others] = readers;
  if (first === undefined) throw new Error("there is no reader");
  return readers.find(isPrompt) ?? others.reduce((least, one) => (one.inFlight < least.inFlight ? one : least), first);
}
