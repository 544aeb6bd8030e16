import type { Requests as Requests16, Responses as Responses16 } from "../gen/v16.ts";
import * as validators16 from "../gen/v16-validators.js";
import type { Requests as Requests201, Responses as Responses201 } from "../gen/v201.ts";
import * as validators201 from "../gen/v201-validators.js";
import { type ErrorCode, type Problem, problem, spelling16, spelling201 } from "./call-error.ts";
import { type Catalogue, isSentBy, type Sender, type SentBy } from "./catalogue.ts";
import { v16Catalogue } from "./catalogue-v16.ts";
import { v201Catalogue } from "./catalogue-v201.ts";
import { errorFrame, type Unreadable } from "./frame.ts";
import { type Mended, mendPayload } from "./relaxation.ts";
import { problemOf, type Validator } from "./schema-fault.ts";

/** What the type system knows of a version. */
export interface Messages {
  readonly subprotocol: string;
  readonly catalogue: Catalogue;
  readonly requests: object;
  readonly responses: object;
}

export interface V16 extends Messages {
  readonly subprotocol: "ocpp1.6";
  readonly catalogue: typeof v16Catalogue;
  readonly requests: Requests16;
  readonly responses: Responses16;
}

export interface V201 extends Messages {
  readonly subprotocol: "ocpp2.0.1";
  readonly catalogue: typeof v201Catalogue;
  readonly requests: Requests201;
  readonly responses: Responses201;
}

/** Every action of a version that both its catalogue and the schemas have. A test proves that this is every one of either. */
export type Action<V extends Messages> = SentBy<V["catalogue"], Sender> & keyof V["requests"] & keyof V["responses"];

/** The payload of a CALL: `Req<V16, "Authorize">`. */
export type Req<V extends Messages, A extends Action<V>> = V["requests"][A];

/** The payload of its CALLRESULT. */
export type Res<V extends Messages, A extends Action<V>> = V["responses"][A];

/** A version of OCPP, as the one who holds the socket sees it. */
export interface Version<V extends Messages = Messages> {
  /** As negotiated in `Sec-WebSocket-Protocol`. */
  readonly subprotocol: V["subprotocol"];
  readonly catalogue: V["catalogue"];
  /** NotImplemented if this version has no such action, NotSupported if it is not for `sender` to send. */
  checkSender(sender: Sender, action: string): Problem | undefined;
  /** What is wrong with the payload of a CALL, if anything is: its first fault. NotImplemented if there is no such action. */
  checkRequest(action: string, payload: unknown): Problem | undefined;
  /** The same for the payload of the CALLRESULT that answers it. */
  checkResponse(action: string, payload: unknown): Problem | undefined;
  /** What the payload of a CALL with which something is wrong is meant to say. Undefined if nobody can tell. */
  mendRequest(action: string, payload: unknown): Mended | undefined;
  /** The same for the payload of a CALLRESULT. */
  mendResponse(action: string, payload: unknown): Mended | undefined;
  /** The CALLERROR that refuses the CALL `id`, in this version's spelling. */
  refusal(id: string, problem: Problem, details?: object): string;
  /** The CALLERROR that this version wants in answer to what could not be read; undefined where it wants none. */
  refusalOf(frame: Unreadable): string | undefined;
}

interface Parts<V extends Messages> {
  subprotocol: V["subprotocol"];
  catalogue: V["catalogue"];
  validators: { requests: Validators; responses: Validators };
  spelling: Readonly<Record<ErrorCode, string>>;
  unknownField: ErrorCode;
  refusalId(frame: Unreadable): string | undefined;
}

type Validators = Readonly<Record<string, Validator>>;

export const v16: Version<V16> = bind({
  subprotocol: "ocpp1.6",
  catalogue: v16Catalogue,
  validators: validators16,
  spelling: spelling16,
  // FormationViolation: "not conform the PDU structure for Action" (OCPP-J, table 7). A field that does not exist cannot occur too often,
  // so OccurenceConstraintViolation would point its sender at a field that is missing.
  unknownField: "FormatViolation",
  // Another message type is to be ignored (OCPP-J, section 4.1.3), and there is no id for what could not be read.
  refusalId: (frame) => (frame.type === "call" ? frame.id : undefined),
});

export const v201: Version<V201> = bind({
  subprotocol: "ocpp2.0.1",
  catalogue: v201Catalogue,
  validators: validators201,
  spelling: spelling201,
  // ProtocolError: "not conform the PDU structure", which 2.0.1 took out of FormatViolation (part 4, table 8).
  unknownField: "ProtocolError",
  // "-1" where the id cannot be read (part 4, section 4.2.3), also for other message types (section 4.4); an answer is never answered.
  refusalId: (frame) => (frame.type === "answer" ? undefined : (frame.id ?? "-1")),
});

/** What we speak, the best first. */
export const versions = [v201, v16] as const;

function bind<V extends Messages>({ subprotocol, catalogue, validators, spelling, unknownField, refusalId }: Parts<V>): Version<V> {
  const check = (table: Validators, action: string, payload: unknown): Problem | undefined => {
    const validator = table[action];
    if (validator === undefined) return unknownAction(action);
    if (validator(payload)) return undefined;
    const fault = validator.errors?.[0];
    return fault === undefined ? problem("InternalError", "the validator gave no reason") : problemOf(fault, unknownField);
  };
  const mend = (table: Validators, action: string, payload: unknown): Mended | undefined => {
    const validator = table[action];
    const isObject = typeof payload === "object" && payload !== null && !Array.isArray(payload);
    return validator !== undefined && isObject ? mendPayload(validator, payload) : undefined;
  };
  const refusal = (id: string, { code, description }: Problem, details?: object): string =>
    errorFrame(id, spelling[code], description, details);
  return {
    subprotocol,
    catalogue,
    checkSender(sender, action) {
      if (isSentBy(catalogue, sender, action)) return undefined;
      if (!Object.hasOwn(catalogue, action)) return unknownAction(action);
      return problem("NotSupported", `${action} is for ${sender === "station" ? "chargers" : "the CSMS"} to answer`);
    },
    checkRequest: (action, payload) => check(validators.requests, action, payload),
    checkResponse: (action, payload) => check(validators.responses, action, payload),
    mendRequest: (action, payload) => mend(validators.requests, action, payload),
    mendResponse: (action, payload) => mend(validators.responses, action, payload),
    refusal,
    refusalOf(frame) {
      const id = refusalId(frame);
      return id === undefined ? undefined : refusal(id, frame);
    },
  };
}

function unknownAction(action: string): Problem {
  return problem("NotImplemented", `${action} is not known`);
}
