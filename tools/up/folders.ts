import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Where `make up` keeps things. All of it is under `.data/`, which is not committed. */
export type Folders = {
  /** The checkout. */
  readonly root: string;
  readonly data: string;
  readonly logs: string;
  /** Numbers of the processes that run. */
  readonly run: string;
  readonly secrets: string;
  readonly postgres: string;
  readonly nats: string;
  readonly mail: string;
  /** What chargers upload and fetch. */
  readonly files: string;
  /** Of the authority that signs certificates of chargers. */
  readonly chargersAuthority: string;
};

/** Makes what is not there. */
export function layOutFolders(root: string): Folders {
  const data = join(root, ".data");
  const folders = {
    root,
    data,
    logs: join(data, "logs"),
    run: join(data, "run"),
    secrets: join(data, "secrets.json"),
    postgres: join(data, "postgres"),
    nats: join(data, "nats"),
    mail: join(data, "mail"),
    files: join(data, "files"),
    chargersAuthority: join(data, "chargers-authority"),
  };
  // As root, Postgres runs as somebody else, who must be able to pass; what is private inside is closed by itself.
  mkdirSync(data, { recursive: true, mode: 0o711 });
  for (const folder of [folders.logs, folders.run]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folders;
}
