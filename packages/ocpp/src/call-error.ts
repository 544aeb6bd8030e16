/** Every code a CALLERROR may carry, spelt as 2.0.1 does (part 4, section 4.3). */
export type ErrorCode =
  | "FormatViolation"
  | "GenericError"
  | "InternalError"
  | "MessageTypeNotSupported"
  | "NotImplemented"
  | "NotSupported"
  | "OccurrenceConstraintViolation"
  | "PropertyConstraintViolation"
  | "ProtocolError"
  | "RpcFrameworkError"
  | "SecurityError"
  | "TypeConstraintViolation";

/** Why a message is refused: what a CALLERROR says. `description` is for people and at most 255 characters. */
export interface Problem {
  readonly code: ErrorCode;
  readonly description: string;
}

/**
 * The same codes as 1.6 writes them (OCPP-J 1.6, table 7; the misspelling is the specification's). It has none for what is not a valid
 * CALL at all, so that is "not conform the PDU structure", and none for message types.
 */
export const spelling16: Readonly<Record<ErrorCode, string>> = {
  FormatViolation: "FormationViolation",
  GenericError: "GenericError",
  InternalError: "InternalError",
  MessageTypeNotSupported: "GenericError",
  NotImplemented: "NotImplemented",
  NotSupported: "NotSupported",
  OccurrenceConstraintViolation: "OccurenceConstraintViolation",
  PropertyConstraintViolation: "PropertyConstraintViolation",
  ProtocolError: "ProtocolError",
  RpcFrameworkError: "FormationViolation",
  SecurityError: "SecurityError",
  TypeConstraintViolation: "TypeConstraintViolation",
};

/** 2.0.1 writes them as we do. */
export const spelling201: Readonly<Record<ErrorCode, string>> = {
  ...spelling16,
  FormatViolation: "FormatViolation",
  MessageTypeNotSupported: "MessageTypeNotSupported",
  OccurrenceConstraintViolation: "OccurrenceConstraintViolation",
  RpcFrameworkError: "RpcFrameworkError",
};

const misspelt: Readonly<Record<string, ErrorCode>> = {
  FormationViolation: "FormatViolation",
  OccurenceConstraintViolation: "OccurrenceConstraintViolation",
};

/** The code that `received` means, in either version's spelling, for chargers mix them up. undefined for a word of the charger's own. */
export function readErrorCode(received: string): ErrorCode | undefined {
  if (isErrorCode(received)) return received;
  return Object.hasOwn(misspelt, received) ? misspelt[received] : undefined;
}

function isErrorCode(word: string): word is ErrorCode {
  return Object.hasOwn(spelling201, word);
}

/** What 2.0.1 allows in a CALLERROR's description (part 4, table 7); 1.6 names no limit. */
const DESCRIPTION_CHARACTERS_MAX = 255;

export function problem(code: ErrorCode, description: string): Problem {
  const fits = description.length <= DESCRIPTION_CHARACTERS_MAX;
  return { code, description: fits ? description : `${description.slice(0, DESCRIPTION_CHARACTERS_MAX - 1).toWellFormed()}…` };
}
