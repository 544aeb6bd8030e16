import type { Req, Res, V16 } from "@chargemesh/ocpp/version";

/** The payload of a CALL of ours, which was checked against the schema of its action before it was sent. */
export function requestOf<A extends keyof V16["requests"]>(_action: A, { payload }: { payload: object }): Req<V16, A> {
  return payload as Req<V16, A>;
}

/** A charger's answer to one, which was checked against the schema of its action when it came. */
export function responseOf<A extends keyof V16["responses"]>(_action: A, response: object): Res<V16, A> {
  return response as Res<V16, A>;
}
