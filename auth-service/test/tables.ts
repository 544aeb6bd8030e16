import pg from "pg";
import type { Place } from "./service.ts";

/** Connects to the tables past the service, as their owner. */
export async function openTables(place: Place): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: place.ownerUrl, options: "-c search_path=authentication" });
  // The database is dropped under it at the end.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
