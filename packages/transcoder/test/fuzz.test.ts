import { Metadata, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorHandler } from "../src/errors.ts";
import { requestsFor } from "./fuzz/requests.ts";
import { faultOf, fuzz } from "./fuzz/run.ts";
import { Library, protoDir } from "./library.ts";

// A short run is part of every test run; `make fuzz-edge` goes on for a minute, with another seed each time.

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 2);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

const library = new Library();
beforeAll(() =>
  library.start({ bodyLimit: 20_000, deadlineMs: 2_000, stream: { id: "cursor", event: "type" } }, (app) => {
    app.setErrorHandler(errorHandler("library"));
  }),
);
afterAll(() => library.stop());

test(
  `nothing that is sent for ${SECONDS} s makes the edge fail, or grow: seed ${SEED}`,
  async () => {
    library.answers.set("Echo", (call, done) => done(null, call.request));
    library.answers.set("Fail", (call, done) => {
      const code = Number(call.request.code ?? 0);
      // What is no code of ours to give, and what is a bug of the service's, is not what is looked for.
      const isPassedOn = code > 0 && code < 17 && ![status.UNKNOWN, status.INTERNAL, status.DATA_LOSS].includes(code);
      done(isPassedOn ? { code, details: "As asked.", metadata: new Metadata() } : null, {});
    });
    library.streams.set("WatchBooks", (call) => {
      call.write({ event: { cursor: 1, type: String(call.request.plan ?? "") } });
      if (Number(call.request.count ?? 0) % 2 === 0) call.end();
    });
    const next = requestsFor([protoDir], SEED, { ids: ["b1", "rooms/a/books/b", "1"], authorizations: ["Bearer t", "Basic eDp5", "x"] });
    const forget = (): void => {
      library.asked.length = 0;
      library.logs.length = 0;
    };
    const { requests, statuses, grownMib } = await fuzz({ port: library.port, seconds: SECONDS, next, fault: faultOf, forget });
    const seen = JSON.stringify([...statuses]);
    expect(requests, seen).toBeGreaterThan(SECONDS * 50);
    // The fuzz reaches the service, and is refused for many reasons.
    for (const expected of [200, 400, 404, 405]) expect([...statuses.keys()], seen).toContain(expected);
    expect(grownMib, `after ${requests} requests`).toBeLessThan(10);
    expect((await library.call("GET", "/v1/books/b1")).status).toBe(200);
  },
  SECONDS * 1_000 + 60_000,
);
