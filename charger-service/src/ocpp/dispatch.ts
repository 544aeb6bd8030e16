import type { Logger } from "@chargemesh/kit/log";
import { withoutDatabase } from "@chargemesh/kit/postgres";
import type { Problem } from "@chargemesh/ocpp/call-error";
import { type Call, resultFrame } from "@chargemesh/ocpp/frame";
import type { Version } from "@chargemesh/ocpp/version";
import type { Db } from "../db/schema.ts";
import type { Certification } from "../domain/certificate-request.ts";
import type { Answer } from "./incoming.ts";

/** What a handler knows of the charger whose message it answers. */
export interface Charger {
  readonly id: string;
  readonly db: Db;
  readonly heartbeatSeconds: number;
  readonly retrySeconds: number;
  readonly certification: Certification;
  now(): Date;
}

/** Thrown by a handler for what the schema cannot see; the charger gets it as a CALLERROR. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.description);
    this.problem = problem;
  }
}

/** The handlers of a version, by action, after their requests have been checked. */
export type Dispatch = Readonly<Record<string, (charger: Charger, request: object) => Promise<object>>>;

/** U+0000 in JSON: Postgres has no place for it in a text, and no charger has a reason to send it. After an escaped backslash it is none. */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/;

/** Whether a text anywhere in a payload holds U+0000. */
export function holdsNul(payload: object): boolean {
  return NUL.test(JSON.stringify(payload));
}

/**
 * Answers a CALL of a charger: with a CALLRESULT, or with a CALLERROR that says what is wrong with the CALL.
 * Throws only if the database is away.
 */
export async function answerCall(version: Version, dispatch: Dispatch, charger: Charger, call: Call, log: Logger): Promise<Answer> {
  const refuse = (problem: Problem): Answer => {
    log.info({ chargerId: charger.id, action: call.action, code: problem.code, description: problem.description }, "refused a message");
    return { text: version.refusal(call.id, problem) };
  };
  const wrong = version.checkSender("station", call.action) ?? version.checkRequest(call.action, call.payload);
  if (wrong !== undefined) return refuse(wrong);
  if (holdsNul(call.payload)) {
    return refuse({ code: "PropertyConstraintViolation", description: "a text holds the character U+0000" });
  }
  const handle = dispatch[call.action];
  if (handle === undefined) return refuse({ code: "NotSupported", description: `${call.action} is not supported` });
  try {
    return { text: resultFrame(call.id, await handle(charger, call.payload)) };
  } catch (err) {
    if (err instanceof Refused) return refuse(err.problem);
    if (withoutDatabase(err) !== err) throw err;
    log.error({ err, chargerId: charger.id, action: call.action }, "a bug");
    return { text: version.refusal(call.id, { code: "InternalError", description: "something went wrong on our side" }) };
  }
}
