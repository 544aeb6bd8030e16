import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { type OptOutCategory, optOutCategories } from "../db/schema.ts";

/** Who wants no more mails, and of what. */
export interface Unsubscribing {
  userId: string;
  category: OptOutCategory;
}

/** What stands in the link by which the reader of a mail unsubscribes. It says nothing of their address, and is good for as long as the secret is. */
export interface UnsubscribeTokens {
  /** In base64url; the same each time, so that a mail that is sent twice is the same. */
  sign(unsubscribing: Unsubscribing): string;
  /** Undefined if it was not signed here. */
  read(token: string): Unsubscribing | undefined;
}

/** As long as anybody needs who may only guess by asking us. */
const SIGNATURE_BYTES = 16;

export function makeUnsubscribeTokens(secret: string): UnsubscribeTokens {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "chargemesh unsubscribing", 32));
  const signatureOf = (content: Buffer): Buffer => createHmac("sha256", key).update(content).digest().subarray(0, SIGNATURE_BYTES);
  return {
    sign({ userId, category }) {
      const content = Buffer.from(`${category} ${userId}`);
      return Buffer.concat([signatureOf(content), content]).toString("base64url");
    },
    read(token) {
      const bytes = Buffer.from(token, "base64url");
      const content = bytes.subarray(SIGNATURE_BYTES);
      if (content.length === 0 || !timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), signatureOf(content))) return undefined;
      const [name = "", userId = ""] = content.toString().split(" ");
      const category = optOutCategories.find((one) => one === name);
      return category === undefined ? undefined : { userId, category };
    },
  };
}
