/** Why a file is not taken or given: the HTTP status, and a sentence for people. */
const refusals = {
  FILE_URL_UNKNOWN: [404, "Nothing is expected and nothing is kept at this URL."],
  FILE_URL_EXPIRED: [410, "This URL was good until a time that is over."],
  FILE_UPLOADED: [409, "The file for which this URL was made is here already, or nobody waits for it any more."],
  FILE_URL_BUSY: [429, "Files are being sent to this URL already. Try again when they are through or have broken off."],
  FILE_TOO_LARGE: [413, "The file is larger than this service takes."],
  FILE_MISSING: [400, "The form holds no file."],
  FILE_PARTIAL: [400, "A file is sent whole: Content-Range is not taken."],
  FILE_BROKEN_OFF: [400, "The file broke off before its end."],
} as const satisfies Record<string, readonly [number, string]>;

/** What whoever comes to a URL for a file is told instead. */
export class FileRefusal extends Error {
  readonly httpStatus: number;
  readonly reason: keyof typeof refusals;

  constructor(reason: keyof typeof refusals, options?: ErrorOptions) {
    super(refusals[reason][1], options);
    this.httpStatus = refusals[reason][0];
    this.reason = reason;
  }
}
