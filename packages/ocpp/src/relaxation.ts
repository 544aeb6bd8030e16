/** Where a charger's messages may depart from their schemas, if that is allowed of it. */
export type Relaxation =
  | "EXTRA_FIELDS"
  | "LONG_STRINGS"
  | "ENUM_CASE"
  | "UNKNOWN_WORDS"
  | "TIME_WITHOUT_ZONE"
  | "TIME_NOTATION"
  | "NUMBER_STRINGS"
  | "FRACTIONS"
  | "FINE_NUMBERS"
  | "NULL_FIELDS"
  | "EMPTY_STRINGS"
  | "MISSING_FIELDS"
  | "SINGLE_ITEMS";
