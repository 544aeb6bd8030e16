import type { Logger } from "@chargemesh/kit/log";
import { withoutDatabase } from "@chargemesh/kit/postgres";
import type { Problem } from "@chargemesh/ocpp/call-error";
import { type Call, resultFrame } from "@chargemesh/ocpp/frame";
import type { Db, Relaxation, SecurityProfile } from "../db/schema.ts";
import type { Certification } from "../domain/certificate-request.ts";
import type { Tolerance } from "../domain/tolerance.ts";
import type { Dialect } from "./dialects.ts";
import type { Answer } from "./incoming.ts";

/** What a handler knows of the charger whose message it answers. */
export interface Charger {
  readonly id: string;
  /** Which of its connections its message came on. */
  readonly epoch: number;
  /** By what it came in on that one: 0 has shown nothing. */
  readonly securityProfile: SecurityProfile;
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

const HOLDS_NUL = "a text holds the character U+0000";
/** U+0000 in JSON: Postgres has no place for it in a text, and no charger has a reason to send it. After an escaped backslash it is none. */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/;

/** Whether a text anywhere in a payload holds U+0000. */
export function holdsNul(payload: object): boolean {
  return NUL.test(JSON.stringify(payload));
}

/** What a CALL says, with the relaxations that it came in by; or why it is refused, with those that would have let it in. */
interface Reading {
  payload: object;
  wrong?: Problem;
  relaxations?: readonly Relaxation[];
}

/** Holds a CALL to the schema of its action, and where it departs from that to what is allowed of its charger. */
async function read({ version, makerOf }: Dialect, chargerId: string, tolerance: Tolerance, { action, payload }: Call): Promise<Reading> {
  const refused = version.checkSender("station", action);
  if (refused !== undefined) return { payload, wrong: refused };
  const wrong = version.checkRequest(action, payload);
  if (holdsNul(payload)) return { payload, wrong: wrong ?? { code: "PropertyConstraintViolation", description: HOLDS_NUL } };
  if (wrong === undefined) return { payload };
  const mended = version.mendRequest(action, payload);
  if (mended === undefined) return { payload, wrong };
  const { uses } = mended;
  const missing = await tolerance.missing({ chargerId, action, uses, maker: makerOf(action, { ...payload }) });
  return missing.length > 0 ? { payload, wrong, relaxations: missing } : { payload: mended.payload, relaxations: [...uses.keys()] };
}

/**
 * Answers a CALL of a charger: with a CALLRESULT, or with a CALLERROR that says what is wrong with the CALL.
 * Throws only if the database is away.
 */
export async function answerCall(dialect: Dialect, charger: Charger, tolerance: Tolerance, call: Call, log: Logger): Promise<Answer> {
  const { version, dispatch } = dialect;
  const { payload, wrong, relaxations } = await read(dialect, charger.id, tolerance, call);
  const answer = (text: string): Answer => ({ text, relaxations });
  const refuse = ({ code, description }: Problem): Answer => {
    log.info({ chargerId: charger.id, action: call.action, code, description, relaxations }, "refused a message");
    return answer(version.refusal(call.id, { code, description }));
  };
  if (wrong !== undefined) return refuse(wrong);
  const handle = dispatch[call.action];
  if (handle === undefined) return refuse({ code: "NotSupported", description: `${call.action} is not supported` });
  try {
    return answer(resultFrame(call.id, await handle(charger, payload)));
  } catch (err) {
    if (err instanceof Refused) return refuse(err.problem);
    if (withoutDatabase(err) !== err) throw err;
    log.error({ err, chargerId: charger.id, action: call.action }, "a bug");
    return answer(version.refusal(call.id, { code: "InternalError", description: "something went wrong on our side" }));
  }
}
