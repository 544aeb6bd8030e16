import { type Version, v16 } from "@chargemesh/ocpp/version";
import type { Maker } from "../db/relaxation.ts";
import type { Db, Json, Registration } from "../db/schema.ts";
import type { ChargerLimits } from "../domain/charger-limits.ts";
import type { Learn } from "../domain/command.ts";
import type { Question } from "../domain/question.ts";
import type { Dispatch } from "./dispatch.ts";
import { answers as answers16 } from "./v16/answers.ts";
import { limitsOf16 } from "./v16/limits.ts";
import { makerOf as makerOf16 } from "./v16/maker.ts";
import { questions as questions16 } from "./v16/questions.ts";
import { dispatch as dispatch16 } from "./v16/routes.ts";

/** What domain/ asks of chargers, put into the words of one version of OCPP. */
export interface Questions {
  /** How many characters an id token may have. */
  idTokenLengthMax: number;
  /** Whether a charger of this registration may be sent a CALL of this action. */
  mayAsk(registration: Registration, action: string): boolean;
  /** Undefined if this version has no words for it. */
  say(question: Question): Said | undefined;
  /** Where a CALL sets the charger's password, as a path in its payload; undefined if it does not. */
  passwordField(action: string, payload: Json): string | undefined;
  /** A charger's answer without the passwords that it should not have told: SECRET stands for them. */
  withoutPasswords(action: string, response: Json): Json;
  /** If a CALL is a remote start: what the transaction that it leads to will say; connector 0 is any. */
  startOf(action: string, payload: Json): { idToken: string; connectorId: number } | undefined;
}

/** A CALL that asks something. `secret` is what stands behind SECRET in the payload. */
export interface Said {
  action: string;
  payload: Json;
  secret?: string;
}

/** A version of OCPP as this service speaks it: its messages, who answers them, and how we ask. */
export interface Dialect {
  version: Version;
  dispatch: Dispatch;
  questions: Questions;
  /** Who made the charger, if a CALL of its says so. What the payload says has not been checked. */
  makerOf(action: string, payload: Json): Maker | undefined;
  /** Keeps what chargers answer, by action, whoever asked. Each response has been checked against the schema of its action. */
  answers: Readonly<Record<string, Learn>>;
  /** What a charger can do, by what is known of its configuration. */
  limitsOf(db: Db, chargerId: string): Promise<ChargerLimits>;
}

const v16Dialect: Dialect = {
  version: v16,
  dispatch: dispatch16,
  questions: questions16,
  makerOf: makerOf16,
  answers: answers16,
  limitsOf: limitsOf16,
};

/** The versions that chargers may speak to us, the best first. */
export const dialects: readonly Dialect[] = [v16Dialect];

/** The dialect of a subprotocol; undefined if it is none of ours. */
export function dialectOf(subprotocol: string): Dialect | undefined {
  return dialects.find(({ version }) => version.subprotocol === subprotocol);
}

/** The best dialect of those a charger offers; undefined if it offers none of ours. */
export function chooseDialect(offered: ReadonlySet<string> | readonly string[]): Dialect | undefined {
  const all = new Set(offered);
  return dialects.find(({ version }) => all.has(version.subprotocol));
}

/** How to ask a charger that never told how it speaks: what it gets is checked again by itself. */
export const oldestDialect = v16Dialect;
