import type { Document } from "../document.ts";

/** For somebody who has just signed up. */
export function welcome(username: string): Document {
  return {
    subject: "Welcome to Chargemesh",
    blocks: [
      `Hello ${username},`,
      "your account is ready. You can now sign in and charge your car.",
      [["You sign in as", username]],
      "After each charge we will send a receipt to this address.",
      "If you did not sign up, somebody has given us your address by mistake, and you can ignore this mail.",
    ],
  };
}
