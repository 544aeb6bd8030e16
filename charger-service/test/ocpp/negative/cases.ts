import { type Fault, faultsOf, type Schema, sample, schemasOf } from "./faults.ts";

/** What a frame deserves: a CALLRESULT, a CALLERROR with this code, or silence. */
export type Verdict = "result" | "silence" | { error: string };

/** A frame of a charger's, and what OCPP-J 1.6 wants done with it. Its message id is `id`, where it has a readable one. */
export interface Case {
  readonly what: string;
  readonly id: string;
  readonly frame: string | Buffer;
  readonly verdict: Verdict;
}

const requests = schemasOf("req");
const responses = schemasOf("conf");

function requestOf(action: string): Schema {
  const schema = requests.get(action);
  if (schema === undefined) throw new Error(`1.6 has no ${action}`);
  return schema;
}

/** A CALL of ours that a charger may get. */
export function commandOf(action: string): Record<string, unknown> {
  return sample(requestOf(action), "required") as Record<string, unknown>;
}

/** Everything that can be wrong with the CALLs of these actions, those that are right among them, and frames that are none. */
export function callCases(fromStation: readonly string[], fromCsms: readonly string[]): Case[] {
  const cases: Omit<Case, "id">[] = [];
  const add = (what: string, frame: (id: string) => unknown, verdict: Verdict): void => {
    const text = frame(`n-${cases.length}`);
    cases.push({ what, frame: typeof text === "string" || Buffer.isBuffer(text) ? text : JSON.stringify(text), verdict });
  };
  for (const action of fromStation) {
    const schema = requestOf(action);
    for (const fields of ["all", "required"] as const) {
      const good = sample(schema, fields);
      add(`${action} with ${fields} fields`, (id) => [2, id, action, good], "result");
      for (const { what, code, payload } of faultsOf(schema, good)) {
        add(`${action} with ${fields} fields, but ${what}`, (id) => [2, id, action, payload], { error: code });
      }
    }
    addMalformed(action, sample(schema, "all"), add);
  }
  for (const action of fromCsms) {
    if (fromStation.includes(action)) continue;
    const payload = sample(requestOf(action), "required");
    add(`${action}, which is ours to say`, (id) => [2, id, action, payload], { error: "NotSupported" });
  }
  for (const action of ["MakeCoffee", "", "heartbeat", "Heartbeat ", "__proto__", "constructor", "toString", "TransactionEvent"]) {
    add(`${JSON.stringify(action)}, which nobody knows`, (id) => [2, id, action, {}], { error: "NotImplemented" });
  }
  return cases.map((one, i) => ({ ...one, id: `n-${i}` }));
}

/** OCPP-J 1.6: section 4.1.3 ignores other message types, 4.2.3 and table 7 name what is wrong with a CALL whose id can be read. */
function addMalformed(action: string, good: unknown, add: (what: string, frame: (id: string) => unknown, verdict: Verdict) => void): void {
  const text = (id: string): string => JSON.stringify([2, id, action, good]);
  const mad = (what: string, frame: (id: string) => unknown, verdict: Verdict): void => add(`${action}: ${what}`, frame, verdict);
  mad("cut off", (id) => text(id).slice(0, -1), "silence");
  mad("with more behind it", (id) => `${text(id)}]`, "silence");
  mad("as an object", (id) => ({ 0: 2, 1: id, 2: action, 3: good }), "silence");
  mad("as a string", (id) => JSON.stringify(text(id)), "silence");
  mad("in an array", (id) => [[2, id, action, good]], "silence");
  mad("binary", (id) => Buffer.from(text(id)), "silence");
  for (const type of [0, 1, 5, 99, -2, 2.5]) mad(`as message type ${type}`, (id) => [type, id, action, good], "silence");
  for (const type of ["2", null, true, [2], {}])
    mad(`as message type ${JSON.stringify(type)}`, (id) => [type, id, action, good], "silence");
  for (const id of [7, null, true, {}, ["7"], "x".repeat(256)]) {
    mad(`with the id ${JSON.stringify(id).slice(0, 9)}`, () => [2, id, action, good], "silence");
  }
  mad("as an answer that nobody waits for", (id) => [3, id, good], "silence");
  mad("as an error that nobody waits for", (id) => [4, id, "GenericError", "", {}], "silence");
  mad("with nothing but its id", (id) => [2, id], { error: "FormationViolation" });
  mad("without a payload", (id) => [2, id, action], { error: "ProtocolError" });
  mad("with an element too many", (id) => [2, id, action, good, {}], { error: "FormationViolation" });
  for (const word of [7, null, {}, [action]])
    mad(`with the action ${JSON.stringify(word)}`, (id) => [2, id, word, good], { error: "ProtocolError" });
  for (const payload of [[], "{}", 7, false]) {
    mad(`with the payload ${JSON.stringify(payload)}`, (id) => [2, id, action, payload], { error: "TypeConstraintViolation" });
  }
  const deep = "[".repeat(100) + "]".repeat(100);
  mad("nested too deep", (id) => `[2,"${id}","${action}",{"unknownField":${deep}}]`, { error: "FormationViolation" });
}

/** An answer to a command that is none. */
export interface AnswerCase {
  readonly what: string;
  readonly action: string;
  answer(id: string): unknown;
}

/** Everything that can be wrong with the answers to the CALLs of these actions. */
export function answerCases(actions: readonly string[]): AnswerCase[] {
  return actions.flatMap((action) => {
    const schema = responses.get(action);
    if (schema === undefined) throw new Error(`1.6 has no answer to ${action}`);
    const good = sample(schema, "all");
    const wrong = fewer(faultsOf(schema, good)).map(
      ({ what, payload }): AnswerCase => ({ what, action, answer: (id) => [3, id, payload] }),
    );
    const noPayload = [undefined, [], "x", 7].map(
      (payload): AnswerCase => ({
        what: `the payload is ${JSON.stringify(payload)}`,
        action,
        answer: (id) => (payload === undefined ? [3, id] : [3, id, payload]),
      }),
    );
    return [...wrong, ...noPayload, { what: "there is an element too many", action, answer: (id) => [3, id, good, {}] }];
  });
}

/** Each costs a command: of the many wrong values of a field one of each kind will do. */
function fewer(faults: readonly Fault[]): Fault[] {
  const kinds = Map.groupBy(faults, ({ what, code }) => `${what.split(" ", 1)[0]} ${code}`);
  return [...kinds.values()].flatMap((alike) => alike.slice(0, 1));
}
