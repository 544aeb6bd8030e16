import type { EventEntry } from "./catalogue.ts";
import { exampleOf } from "./example.ts";

/** What the page says of all events, before it lists them. */
export function aboutEvents(open: readonly EventEntry[]): string {
  const stopped = open.find(({ type }) => type.endsWith(".TransactionStopped"));
  const { data: _data, ...envelope } = stopped === undefined ? {} : exampleOf(stopped);
  const requestid = "4bf92f3577b34da6a3ce929d0e0e4736";
  const traced = { ...envelope, data: { "…": "…" }, requestid, traceparent: `00-${requestid}-00f067aa0ba902b7-01` };
  return `# Events

Written by \`tools/events.ts\` from the protos and their comments; do not edit.

Everything that happens is told, once it is committed: ${open.length} types of events, each a message of \`proto/chargemesh/*/v1/events.proto\`. This page
says what each means, who may follow it and what is in it.

## What an event looks like

An event is a [CloudEvent 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) in its JSON format:

\`\`\`json
${JSON.stringify(traced, null, 2)}
\`\`\`

| attribute | meaning |
|---|---|
| \`id\` | unique; the same event has the same one wherever and however often it comes |
| \`source\` | the service that tells it |
| \`type\` | the full name of the message in \`data\`; its package says the version |
| \`subject\` | the id of what it happened to |
| \`time\` | when it was written, in UTC |
| \`data\` | the message, in the JSON of proto3: names in lowerCamelCase, times as RFC 3339, enums by name, 64-bit numbers as text. What is false, 0, empty or unspecified is left out |
| \`requestid\` | the request that it came of, as in its \`x-request-id\`; absent if it came of none |
| \`traceparent\` | the same as [W3C Trace Context](https://www.w3.org/TR/trace-context/), if that request had a trace |

Events of one subject come in the order in which they happened. What is told is what was committed: there is no event of what was rolled back, and none
is lost where a service, NATS or the database is killed.

## How to follow them

| | how | what comes |
|---|---|---|
| [server-sent events](#server-sent-events) | \`GET /ocpp/events\` | what the caller may see, as it happens or after a cursor: no gap, none twice |
| [gRPC](#grpc) | \`chargemesh.charger.v1.EventService/WatchEvents\` | the same |
| [webhooks](#webhooks) | \`POST /ocpp/webhooks\` | each event to a URL, signed, at least once |
| [NATS](#nats) | the streams themselves | everything, to whoever is let into the mesh |

All but NATS choose by \`types\` (full names, or their last part), \`chargerId\` and \`transactionId\`; what an event is about is said with each below. Operators
and administrators see what is for them, whomever it is about. A driver sees, of what is for the user it is about, what is about them.

### Server-sent events

\`\`\`sh
curl -N -H "authorization: Bearer $TOKEN" "localhost:3000/ocpp/events?types=TransactionStarted&types=TransactionStopped&chargerId=CP-1"
\`\`\`

\`\`\`text
id: 1204
event: chargemesh.charger.v1.TransactionStarted
data: {"id":"…","source":"charger-service","type":"chargemesh.charger.v1.TransactionStarted","subject":"42","time":"…","data":{"@type":"…","transaction":{…}},"cursor":"1204","traceId":""}
\`\`\`

The \`id\` is the event's cursor. Whoever connects again with the last one in \`Last-Event-ID\`, as browsers do by themselves, or as \`cursor\`, goes on behind it, as long as
events are kept (\`EVENT_RETENTION_DAYS\`). As in all answers over REST, what is false, 0 or empty is there. \`traceId\` is \`requestid\`.

### gRPC

\`\`\`sh
grpcurl -plaintext -H "authorization: Bearer $TOKEN" -d '{"types": ["TransactionStopped"], "cursor": "1204"}' \\
  localhost:3002 chargemesh.charger.v1.EventService/WatchEvents
\`\`\`

\`data\` is a \`google.protobuf.Any\` of the message, \`cursor\` what the next call may begin behind.

### Webhooks

A [Webhook](#webhook) is a URL with the types that it wants. Each delivery is the CloudEvent as above, signed as
[Standard Webhooks](https://www.standardwebhooks.com) has it; \`webhook-id\` is the event's id. One that fails comes again, so keep the ids of what you have dealt with. [webhooks.md](webhooks.md) has
it all.

### NATS

The subject of a message is the event's type and, in base64url, its subject: \`chargemesh.charger.v1.TransactionStarted.${Buffer.from("42").toString("base64url")}\` is the start of transaction 42, and
\`chargemesh.charger.v1.TransactionStarted.*\` every start. \`Nats-Msg-Id\` is the event's id. Each package has a stream, and \`chargemesh_journal\` has them all in one
order, whose sequence is the cursor. Consumers should be durable, and deal with an id once: delivery is at least once. \`deploy/nats.conf\` says who may read what.

## What may change

Within \`v1\` what is there stays: no event, field or value of an enum is removed or renamed, and none gets another type or meaning, or a wider audience;
\`make lint\` compares the protos with those before. What may come at any time are new events, new fields, new values of enums and new attributes. So a reader

- ignores types, fields and attributes that it does not know,
- takes a value of an enum that it does not know for "something else",
- takes a field that is absent for false, 0, empty or unspecified.

What cannot be done so is told as \`v2\`, in a package and a stream of its own, beside \`v1\`.`;
}
