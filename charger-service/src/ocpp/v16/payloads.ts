import type { Action, Req, Res, V16 } from "@chargemesh/ocpp/version";

/** The payloads of a command and of its answer, which have been checked against the schemas of this action. */
export function payloadsOf<A extends Action<V16>>(request: object, response: object): { request: Req<V16, A>; response: Res<V16, A> } {
  return { request, response } as { request: Req<V16, A>; response: Res<V16, A> };
}
