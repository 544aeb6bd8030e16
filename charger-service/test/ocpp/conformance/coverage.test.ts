import { isSentBy, type Sender } from "@chargemesh/ocpp/catalogue";
import { v16 } from "@chargemesh/ocpp/version";
import { expect, test } from "vitest";
import { handledBy, testedBy } from "../../../../tools/messages/places.ts";

// Every message of OCPP 1.6 has tests in each direction that it may go, as docs/ocpp-coverage.md has them.

const messages = (["station", "csms"] as const).flatMap((sender) =>
  Object.keys(v16.catalogue)
    .filter((action) => isSentBy(v16.catalogue, sender, action))
    .map((action): [Sender, string] => [sender, action]),
);

test("every message is sent by a test, from chargers and to them", () => {
  expect(messages).toHaveLength(40);
  expect(messages.filter(([sender, action]) => testedBy(sender, action).length === 0)).toEqual([]);
  expect(messages.filter(([sender, action]) => handledBy(sender, action).length === 0)).toEqual([]);
});

test("and one that none sends would be found", () => {
  expect(testedBy("station", "Reset")).toEqual([]);
  expect(testedBy("csms", "CostUpdated")).toEqual([]);
  expect(handledBy("station", "Reset")).toEqual([]);
});
