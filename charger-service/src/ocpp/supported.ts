import { dialects } from "./dialects.ts";

/** Which messages have behaviour behind them, by version; docs/ocpp-coverage.md is made of it. */
export const supported = Object.fromEntries(
  dialects.map(({ version, dispatch }) => [
    version.subprotocol,
    {
      fromStation: Object.keys(dispatch),
      // A command is checked against the schema of its action and sent as it is, so all that the CSMS may send are supported.
      fromCsms: Object.keys(version.catalogue).filter((action) => version.checkSender("csms", action) === undefined),
    },
  ]),
);
