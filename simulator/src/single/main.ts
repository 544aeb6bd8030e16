import { connectCharger, type SimulatedCharger } from "../charger.ts";
import { makeReport } from "../report.ts";

// One charger with one connector, for `make charger`: it boots, and then does what it is asked until it is stopped.

/** How many times faster than in life its vehicle charges, so that there is something to see. */
const SPEED = 60;

async function main(): Promise<void> {
  const { OCPP_URL: url = "ws://127.0.0.1:3000/ocpp/ws", CHARGER_ID: id = "", CHARGER_PASSWORD: password = "" } = process.env;
  if (id === "") throw new Error("say which charger: make charger ID=CP-1 PASSWORD=…");
  let charger: SimulatedCharger | undefined;
  const report = makeReport((line) => console.log(line), Date.now);
  const opened = connectCharger({
    url,
    id,
    ...(password === "" ? {} : { password }),
    speed: SPEED,
    configuration: { MeterValueSampleInterval: "5" },
    // It also comes back from a Reset.
    reconnect: { minMs: 1_000, maxMs: 10_000 },
    onEvent(state, event) {
      report(state, event);
      // The driver leaves, so that the next one can come.
      if (event.type === "stopped") charger?.unplug(event.transaction.connectorId);
    },
  });
  charger = await opened;
  const stop = (): void => void charger.close().then(() => process.exit(0));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
}

main().catch((err: unknown) => {
  console.error(`Error: ${err instanceof Error ? err.message : err}`);
  process.exit(1);
});
