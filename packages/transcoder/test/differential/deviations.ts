import type { Outcome } from "./oracle.ts";

/** One text, and what the two codecs make of it. */
export interface Difference {
  readonly json: string;
  readonly ours: Outcome<Uint8Array>;
  readonly theirs: Outcome<Uint8Array>;
}

/** Where @bufbuild/protobuf departs from the specification of proto3's JSON, or takes what the specification does not name. */
export interface Deviation {
  readonly what: string;
  /** Texts that show it, each with what we make of it: bytes in hex, or the end of the refusal. */
  readonly examples: readonly (readonly [json: string, ours: string])[];
  /** Explains a difference that chance has found. */
  explains(difference: Difference): boolean;
}

const weRefuse =
  (reason: RegExp, text = /(?:)/) =>
  ({ json, ours, theirs }: Difference): boolean =>
    !ours.ok && theirs.ok && reason.test(ours.reason) && text.test(json);
const theyRefuse =
  (reason: RegExp, text = /(?:)/) =>
  ({ json, ours, theirs }: Difference): boolean =>
    ours.ok && !theirs.ok && reason.test(theirs.reason) && text.test(json);

const TIME = "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z";
const MASK = "must be the names of fields, separated by commas";
const FLOAT = 'must be a number, "NaN", "Infinity" or "-Infinity"';
const url = "type.googleapis.com/google.protobuf";

export const deviations: readonly Deviation[] = [
  {
    what: "a 64-bit integer in a string may have a fraction of zeros or an exponent, as one of 32 bits may; they refuse it",
    examples: [
      ['{"aInt64":"1.0"}', "4001"],
      ['{"aInt64":"1e3"}', "40e807"],
      ['{"aUint64":"-0.0"}', ""],
    ],
    explains: theyRefuse(/expected bigint \(u?int64\): \S+ out of range/, /"-?\d+(?:\.0+)?(?:[eE][+-]?\d+)?"/),
  },
  {
    what: "a 64-bit integer that is a JSON number keeps its last digits with us; a double loses them, or leaves the range by that",
    examples: [
      ['{"aInt64":9007199254740993}', "408180808080808010"],
      ['{"aInt64":9223372036854775807}', "40ffffffffffffffff7f"],
      ['{"aUint64":18446744073709551615}', "48ffffffffffffffffff01"],
    ],
    explains: ({ json, ours }) => ours.ok && /[:,[]\s*-?[1-9]\d{15,19}\s*[,\]}]/.test(json),
  },
  {
    what: "an integer is decimal, without a plus sign, without leading zeros and without white space; they take what JavaScript does",
    examples: [
      ['{"aInt64":"0x1"}', "must be an integer"],
      ['{"aInt64":" 1"}', "must be an integer"],
      ['{"aInt64":"+1"}', "must be an integer"],
      ['{"aInt64":"01"}', "must be an integer"],
      ['{"aInt32":"0x1"}', "must be an integer"],
      ['{"aInt32":"1."}', "must be an integer"],
    ],
    explains: weRefuse(/: must be an integer$/),
  },
  {
    what: "the same of a key of a map",
    examples: [
      ['{"byInt32":{"1.0":"a"}}', "the key must be an integer"],
      ['{"byInt64":{"0x1":"a"}}', "the key must be an integer"],
    ],
    explains: weRefuse(/the key must be an integer$/),
  },
  {
    what: "the same of a floating-point number",
    examples: [
      ['{"aDouble":"0x1"}', FLOAT],
      ['{"aDouble":".5"}', FLOAT],
      ['{"aDouble":"+1"}', FLOAT],
      ['{"aFloat":"01"}', FLOAT],
    ],
    explains: weRefuse(/must be a number, "NaN", "Infinity" or "-Infinity"$/),
  },
  {
    what: "a google.protobuf.Value is finite",
    examples: [['{"wkValue":1e400}', "is out of range"]],
    explains: weRefuse(/is out of range$/, /\d[eE]\+?\d{3,}/),
  },
  {
    what: "a Timestamp is a day that the calendar has, and an hour that the clock has",
    examples: [
      ['{"wkTimestamp":"2026-02-30T00:00:00Z"}', TIME],
      ['{"wkTimestamp":"2026-02-29T00:00:00Z"}', TIME],
      ['{"wkTimestamp":"2026-04-31T00:00:00Z"}', TIME],
      ['{"wkTimestamp":"2026-01-01T24:00:00Z"}', TIME],
    ],
    explains: weRefuse(/must be a time as in RFC 3339/, /-(?:02-(?:29|30)|04-31|06-31|09-31|11-31)T|T24:00:00/),
  },
  {
    what: "a Duration ends with its s",
    examples: [
      ['{"wkDuration":"1s "}', 'must be a duration in seconds, such as "1.5s"'],
      ['{"wkDuration":"1sx"}', 'must be a duration in seconds, such as "1.5s"'],
    ],
    explains: weRefuse(/must be a duration in seconds/, /\ds[^"]/),
  },
  {
    what: "a FieldMask has names of fields in it",
    examples: [
      ['{"wkFieldmask":"a b"}', MASK],
      ['{"wkFieldmask":"a,"}', MASK],
      ['{"wkFieldmask":"a..b"}', MASK],
      ['{"wkFieldmask":"1a"}', MASK],
      ['{"wkFieldmask":"Ab"}', MASK],
    ],
    explains: weRefuse(/must be the names of fields, separated by commas$/),
  },
  {
    what: "base64 has the padding that belongs to it or none, and nothing else in it",
    examples: [
      ['{"aBytes":"AA="}', "must be base64"],
      ['{"aBytes":"AA==="}', "must be base64"],
      ['{"aBytes":"A A="}', "must be base64"],
      ['{"aBytes":"AAA=AAA="}', "must be base64"],
    ],
    explains: weRefuse(/must be base64$/),
  },
  {
    what: "an Any of a well-known type has its value and nothing beside it",
    examples: [[`{"wkAny":{"@type":"${url}.Duration","value":"1s","more":1}}`, "more: is not a field of google.protobuf.Duration"]],
    explains: weRefuse(/: is not a field of google\.protobuf\.\w+$/, /"@type"/),
  },
  {
    what: "a null in an Any is no value of a wrapper",
    examples: [[`{"wkAny":{"@type":"${url}.StringValue","value":null}}`, "must be a string, not null"]],
    explains: weRefuse(/\.value: must be .*, not null$/, /"@type"/),
  },
  {
    what: "the type URL of an Any has a slash in it, and what stands before that is kept",
    examples: [
      ['{"wkAny":{"@type":"every.v1.Everything.Nested"}}', 'there is no message "every.v1.Everything.Nested"'],
      [
        '{"wkAny":{"@type":"x.org/every.v1.Everything.Nested"}}',
        `da07240a20${Buffer.from("x.org/every.v1.Everything.Nested").toString("hex")}1200`,
      ],
    ],
    explains: ({ json, ours }) =>
      /"@type"\s*:\s*"(?!type\.googleapis\.com\/[^/"]+")/.test(json) && (ours.ok || /@type: there is no/.test(ours.reason)),
  },
  {
    what: "a null is no member of a oneof, whatever the type of the member",
    examples: [
      ['{"chooseNested":null,"chooseString":"a"}', "d2060161"],
      ['{"chooseColour":null,"chooseString":"a"}', "d2060161"],
    ],
    explains: theyRefuse(/oneof set multiple times by/, /:\s*null/),
  },
];
