/** An id token as a charger's own list has it. */
export interface ListEntry {
  idToken: string;
  status: "ACCEPTED" | "BLOCKED" | "EXPIRED";
  expiryTime: Date | undefined;
  /** Empty if it belongs to no group. */
  parentIdToken: string;
}

/** What is asked of a charger about how it is set up. */
export type ConfigurationQuestion =
  /** Say what you are set to: these keys, or with none of them all. */
  | { readonly kind: "readConfiguration"; readonly keys: readonly string[] }
  /** Set a key. */
  | { readonly kind: "configure"; readonly key: string; readonly value: string }
  /** Say which version your list of id tokens is of. */
  | { readonly kind: "localListVersion" }
  /** Take these entries into your list of id tokens, in place of all that it has or beside it, and `removed` out of it. */
  | {
      readonly kind: "updateLocalList";
      readonly version: number;
      readonly replaces: boolean;
      readonly entries: readonly ListEntry[];
      readonly removed: readonly string[];
    }
  /** A message of a vendor's own. An empty message id is none. */
  | { readonly kind: "transferData"; readonly vendorId: string; readonly messageId: string; readonly data: string | undefined }
  /** Say again who you are, and be told whether you may work. */
  | { readonly kind: "announceYourself" };
