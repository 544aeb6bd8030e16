import { RPCClient } from "ocpp-rpc";
import pg from "pg";
import type { Env } from "../env.ts";
import { type Answer, eventually, type Rest, restOf } from "../rest.ts";
import { auditedCertificateCalls } from "./audited-certificate-calls.ts";
import { auditedFileCalls } from "./audited-file-calls.ts";
import { auditedPreferenceCalls } from "./audited-preference-calls.ts";
import { auditedRelaxationCalls } from "./audited-relaxation-calls.ts";
import { auditedScheduleCalls } from "./audited-schedule-calls.ts";
import { auditedSetupCalls } from "./audited-setup-calls.ts";
import { auditedWebhookCalls } from "./audited-webhook-calls.ts";

const PASSWORD = "correct horse battery staple";
const OTHER_PASSWORD = "another horse, another battery";

export interface Done {
  answer: Answer;
  /** What the entry must say that it was done to. */
  resource: string;
  /** Who must have done it; by default the administrator. */
  actor?: { kind: string; id: string; name: string };
}
export const userActor = ({ id, username }: { id: string; username: string }) => ({ kind: "USER", id, name: username });
export const nobody = { kind: "ANONYMOUS", id: "", name: "" };

/** Who and what the calls are made with: everybody and everything is new each time. */
export function makeActors(env: Env, admin: Rest) {
  const anybody = restOf(env.rest);
  let chargers = 0;
  let users = 0;
  /** Somebody whom no other test knows. */
  async function somebody(): Promise<{ id: string; username: string; password: string; refreshToken: string; rest: Rest }> {
    users += 1;
    const username = `somebody-${users}@example.com`;
    const { body } = await anybody("POST", "/auth/signup", { username, password: PASSWORD });
    return { id: body.id, username, password: PASSWORD, refreshToken: body.refreshToken, rest: restOf(env.rest, body.accessToken) };
  }

  async function newCharger(): Promise<{ id: string; password: string }> {
    chargers += 1;
    const { body } = await admin("POST", "/ocpp/chargers", { id: `AUDIT-${chargers}` });
    return body;
  }

  async function connect(identity: string, password: string): Promise<RPCClient> {
    const charger = new RPCClient({ endpoint: env.ocpp, identity, password, protocols: ["ocpp1.6"], reconnect: false });
    await charger.connect();
    return charger;
  }

  /** A transaction that is active, at a charger that is connected. */
  async function activeTransaction(): Promise<{ chargerId: string; id: number }> {
    const { id: identity, password } = await newCharger();
    const charger = await connect(identity, password);
    charger.handle("RemoteStopTransaction", () => ({ status: "Accepted" }));
    await charger.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" });
    const start = { connectorId: 1, idTag: "NOBODY", meterStart: 0, timestamp: new Date().toISOString() };
    return { chargerId: identity, id: (await charger.call("StartTransaction", start)).transactionId };
  }

  /** The token of the link in the newest mail to somebody with this subject. */
  function mailedToken(to: string, subject: string): Promise<string> {
    return eventually(async () => {
      const mails = (await env.mails()).filter((mail) => mail.includes(`To: ${to}`) && mail.includes(`Subject: ${subject}`));
      const text = mails.at(-1)?.replaceAll("=\r\n", "").replaceAll("=3D", "=");
      return /\/account#\w+=([\w-]+)/.exec(text ?? "")?.[1];
    });
  }

  async function ownerQuery(statement: string, values: unknown[]): Promise<void> {
    const client = new pg.Client({ connectionString: env.database.ownerUrl });
    await client.connect();
    await client.query(statement, values).finally(() => client.end());
  }

  function newApiKey(): Promise<Answer> {
    const expireTime = new Date(Date.now() + 3_600_000).toISOString();
    return admin("POST", "/auth/apiKeys", { displayName: "a program", role: "OPERATOR", scopes: ["charger.*:write"], expireTime });
  }

  return { env, anybody, somebody, connect, newCharger, newApiKey, activeTransaction, mailedToken, ownerQuery };
}

/** A call of every rpc that must leave an entry. */
export function auditedCalls(admin: Rest, actors: ReturnType<typeof makeActors>): Record<string, () => Promise<Done>> {
  const { anybody, somebody, newCharger, newApiKey, activeTransaction, mailedToken, ownerQuery } = actors;
  return {
    "auth.v1.UserService/SignUp": async () => {
      const username = "signs-up@example.com";
      const answer = await anybody("POST", "/auth/signup", { username, password: PASSWORD });
      return { answer, resource: `users/${answer.body.id}`, actor: userActor(answer.body) };
    },
    "auth.v1.UserService/LogIn": async () => {
      const user = await somebody();
      const answer = await anybody("POST", "/auth/login", { username: user.username.toUpperCase(), password: user.password });
      return { answer, resource: `users/${user.id}`, actor: userActor(user) };
    },
    "auth.v1.UserService/LogOut": async () => {
      const user = await somebody();
      const answer = await anybody("POST", "/auth/logout", { refreshToken: user.refreshToken });
      return { answer, resource: `users/${user.id}`, actor: userActor(user) };
    },
    "auth.v1.UserService/UpdateMe": async () => {
      const user = await somebody();
      const answer = await user.rest("PATCH", "/auth/me", { language: "de" });
      return { answer, resource: `users/${user.id}`, actor: userActor(user) };
    },
    "auth.v1.UserService/UpdateUser": async () => {
      const { id } = await somebody();
      return { answer: await admin("PATCH", `/auth/users/${id}`, { role: "OPERATOR" }), resource: `users/${id}` };
    },
    "auth.v1.UserService/DeleteUser": async () => {
      const { id } = await somebody();
      return { answer: await admin("DELETE", `/auth/users/${id}`), resource: `users/${id}` };
    },
    "auth.v1.AccountService/RequestPasswordReset": async () => {
      const user = await somebody();
      const answer = await anybody("POST", "/auth/password:requestReset", { email: user.username });
      return { answer, resource: `users/${user.id}`, actor: nobody };
    },
    "auth.v1.AccountService/ResetPassword": async () => {
      const user = await somebody();
      await anybody("POST", "/auth/password:requestReset", { email: user.username });
      const token = await mailedToken(user.username, "A new password");
      const answer = await anybody("POST", "/auth/password:reset", { token, newPassword: OTHER_PASSWORD });
      return { answer, resource: `users/${user.id}`, actor: userActor(user) };
    },
    "auth.v1.AccountService/VerifyEmail": async () => {
      const user = await somebody();
      const token = await mailedToken(user.username, "Is this your email address?");
      return { answer: await anybody("POST", "/auth/email:verify", { token }), resource: `users/${user.id}`, actor: userActor(user) };
    },
    "auth.v1.AccountService/RequestEmailVerification": async () => {
      const user = await somebody();
      return {
        answer: await user.rest("POST", "/auth/me/email:requestVerification"),
        resource: `users/${user.id}`,
        actor: userActor(user),
      };
    },
    "auth.v1.AccountService/ChangeEmail": async () => {
      const user = await somebody();
      const answer = await user.rest("POST", "/auth/me/email", { password: user.password, email: `new-${user.username}` });
      return { answer, resource: `users/${user.id}`, actor: userActor(user) };
    },
    "auth.v1.AccountService/ChangePassword": async () => {
      const user = await somebody();
      const answer = await user.rest("POST", "/auth/me/password", { password: user.password, newPassword: OTHER_PASSWORD });
      return { answer, resource: `users/${user.id}`, actor: userActor(user) };
    },
    "auth.v1.AccountService/DeleteMe": async () => {
      const user = await somebody();
      const answer = await user.rest("POST", "/auth/me:delete", { password: user.password });
      return { answer, resource: `users/${user.id}`, actor: userActor(user) };
    },
    "auth.v1.SessionService/DeleteMySession": async () => {
      const user = await somebody();
      const [{ id }] = (await user.rest("GET", "/auth/me/sessions")).body.sessions;
      return { answer: await user.rest("DELETE", `/auth/me/sessions/${id}`), resource: `users/${user.id}`, actor: userActor(user) };
    },
    "auth.v1.SessionService/RevokeMySessions": async () => {
      const user = await somebody();
      return { answer: await user.rest("POST", "/auth/me/sessions:revokeAll"), resource: `users/${user.id}`, actor: userActor(user) };
    },
    "auth.v1.SessionService/DeleteSession": async () => {
      const user = await somebody();
      const [{ id }] = (await user.rest("GET", "/auth/me/sessions")).body.sessions;
      return { answer: await admin("DELETE", `/auth/users/${user.id}/sessions/${id}`), resource: `users/${user.id}` };
    },
    "auth.v1.SessionService/RevokeSessions": async () => {
      const { id } = await somebody();
      return { answer: await admin("POST", `/auth/users/${id}/sessions:revokeAll`), resource: `users/${id}` };
    },
    "auth.v1.ApiKeyService/CreateApiKey": async () => {
      const answer = await newApiKey();
      return { answer, resource: `apiKeys/${answer.body.apiKey.id}` };
    },
    "auth.v1.ApiKeyService/DeleteApiKey": async () => {
      const { id } = (await newApiKey()).body.apiKey;
      return { answer: await admin("DELETE", `/auth/apiKeys/${id}`), resource: `apiKeys/${id}` };
    },
    "auth.v1.SigningKeyService/RotateSigningKey": async () => {
      const answer = await admin("POST", "/auth/signingKeys:rotate");
      return { answer, resource: `signingKeys/${answer.body.kid}` };
    },
    "charger.v1.ChargerService/CreateCharger": async () => ({
      answer: await admin("POST", "/ocpp/chargers", { id: "MADE" }),
      resource: "chargers/MADE",
    }),
    "charger.v1.ChargerService/UpdateCharger": async () => {
      const { id } = await newCharger();
      return { answer: await admin("PATCH", `/ocpp/chargers/${id}`, { displayName: "Hof" }), resource: `chargers/${id}` };
    },
    "charger.v1.ChargerService/DeleteCharger": async () => {
      const { id } = await newCharger();
      return { answer: await admin("DELETE", `/ocpp/chargers/${id}`), resource: `chargers/${id}` };
    },
    "charger.v1.ChargerService/RotateChargerPassword": async () => {
      const { id } = await newCharger();
      return { answer: await admin("POST", `/ocpp/chargers/${id}:rotatePassword`, { waitSeconds: 1 }), resource: `chargers/${id}` };
    },
    "charger.v1.ChargerService/CancelChargerPasswordRotation": async () => {
      const { id } = await newCharger();
      await admin("POST", `/ocpp/chargers/${id}:rotatePassword`, { waitSeconds: 1 });
      return { answer: await admin("POST", `/ocpp/chargers/${id}:cancelPasswordRotation`), resource: `chargers/${id}` };
    },
    "charger.v1.ChargerService/RevokeChargerPassword": async () => {
      const { id } = await newCharger();
      return { answer: await admin("POST", `/ocpp/chargers/${id}:revokePassword`), resource: `chargers/${id}` };
    },
    "charger.v1.IdTokenService/CreateIdToken": async () => ({
      answer: await admin("POST", "/ocpp/idTokens", { idToken: "Card-1" }),
      resource: "idTokens/Card-1",
    }),
    "charger.v1.IdTokenService/UpdateIdToken": async () => {
      await admin("POST", "/ocpp/idTokens", { idToken: "Card-2" });
      return { answer: await admin("PATCH", "/ocpp/idTokens/CARD-2", { status: "BLOCKED" }), resource: "idTokens/Card-2" };
    },
    "charger.v1.IdTokenService/DeleteIdToken": async () => {
      await admin("POST", "/ocpp/idTokens", { idToken: "Card-3" });
      return { answer: await admin("DELETE", "/ocpp/idTokens/card-3"), resource: "idTokens/Card-3" };
    },
    "charger.v1.CommandService/CreateCommand": async () => {
      const { id } = await newCharger();
      return {
        answer: await admin("POST", `/ocpp/chargers/${id}/commands`, { action: "ClearCache", payload: {} }),
        resource: `chargers/${id}`,
      };
    },
    "charger.v1.TransactionService/StartTransaction": async () => {
      const { id } = await newCharger();
      await admin("POST", "/ocpp/idTokens", { idToken: "CARD-4" });
      return { answer: await admin("POST", "/ocpp/transactions", { chargerId: id, idToken: "CARD-4" }), resource: `chargers/${id}` };
    },
    "charger.v1.TransactionService/StopTransaction": async () => {
      const { id, chargerId } = await activeTransaction();
      return { answer: await admin("POST", `/ocpp/transactions/${id}:stop`), resource: `chargers/${chargerId}` };
    },
    ...auditedCertificateCalls(admin, actors),
    ...auditedFileCalls(admin, actors),
    ...auditedRelaxationCalls(admin),
    ...auditedScheduleCalls(admin, actors),
    ...auditedSetupCalls(admin, actors),
    ...auditedWebhookCalls(admin),
    ...auditedPreferenceCalls(admin, actors),
    "email.v1.MessageService/CreateMessage": async () => {
      const answer = await admin("POST", "/email/messages", { to: "ada@example.com", subject: "Hello", text: "Hello." });
      return { answer, resource: `messages/${answer.body.id}` };
    },
    "email.v1.MessageService/RetryMessage": async () => {
      const { body } = await admin("POST", "/email/messages", { to: "ada@example.com", subject: "Hello", text: "Hello." });
      const { id } = body;
      await eventually(async () => (await admin("GET", `/email/messages/${id}`)).body.state === "SENT");
      await ownerQuery("update email.message set state = 'FAILED', send_time = null where id = $1", [id]);
      return { answer: await admin("POST", `/email/messages/${id}:retry`), resource: `messages/${id}` };
    },
    "email.v1.MessageService/RetryMessages": async () => {
      // Nobody else's: all calls are made at once.
      const { body } = await admin("POST", "/email/messages", { to: "failed@example.com", subject: "Hello", text: "Hello." });
      await eventually(async () => (await admin("GET", `/email/messages/${body.id}`)).body.state === "SENT");
      await ownerQuery("update email.message set state = 'FAILED', send_time = null where id = $1", [body.id]);
      return { answer: await admin("POST", "/email/messages:retry", { to: "failed@example.com" }), resource: "messages" };
    },
  };
}
