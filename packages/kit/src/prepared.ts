import {
  type Compilable,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";

/** Stands in a query for a value that each execution brings. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A query that is built and compiled once, for those that are asked so often that building them costs more than asking them.
 * `build` gets what stands for the values, to put where values may stand; it must not look at them.
 *
 * ```ts
 * const byId = prepare((db: Db, { id }: { id: string }) => db.selectFrom("charger").selectAll().where("id", "=", id));
 * const { rows } = await byId(db, { id: "CP-1" });
 * ```
 */
export function prepare<DB, Values extends object, Row>(
  build: (db: Kysely<DB>, values: Values) => Compilable<Row>,
): (db: Kysely<DB>, values: Values) => Promise<QueryResult<Row>> {
  const placeholders = new Proxy({} as Values, { get: (_target, name) => new Placeholder(String(name)) });
  const compiled = build(unconnected<DB>(), placeholders).compile();
  const names = compiled.parameters.map((parameter) => (parameter instanceof Placeholder ? parameter.name : undefined));
  return (db, values) => {
    const given = values as Readonly<Record<string, unknown>>;
    const parameters = names.map((name, i) => (name === undefined ? compiled.parameters[i] : given[name]));
    return db.executeQuery({ ...compiled, parameters });
  };
}

function unconnected<DB>(): Kysely<DB> {
  return new Kysely<DB>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}
