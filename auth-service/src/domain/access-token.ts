import { randomUUID } from "node:crypto";
import type { Clock } from "@chargemesh/kit/clock";
import { AUDIENCE, ISSUER, TOKEN_ALGORITHM } from "@chargemesh/kit/identity";
import { SignJWT } from "jose";
import type { UserRow } from "../db/user.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** A service whose clock is behind ours by no more than this takes a new token at once, in s. */
const CLOCK_SKEW_SECONDS = 30;

export interface AccessToken {
  accessToken: string;
  accessTokenExpireTime: Date;
}

/** Makes the JSON Web Token (RFC 7519) that says who `user` is, and by which session. */
export async function makeAccessToken(
  { keys, clock, accessTokenSeconds }: { keys: SigningKeys; clock: Clock; accessTokenSeconds: number },
  user: UserRow,
  sessionId: string,
): Promise<AccessToken> {
  const { kid, key } = keys.signer();
  const issueTime = Math.floor(clock.now().getTime() / 1000);
  const expireTime = issueTime + accessTokenSeconds;
  const accessToken = await new SignJWT({ username: user.username, role: user.role, sid: sessionId })
    .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: "JWT", kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(user.id)
    .setJti(randomUUID())
    .setIssuedAt(issueTime)
    .setNotBefore(issueTime - CLOCK_SKEW_SECONDS)
    .setExpirationTime(expireTime)
    .sign(key);
  return { accessToken, accessTokenExpireTime: new Date(expireTime * 1000) };
}
