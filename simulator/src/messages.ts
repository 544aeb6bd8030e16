import type { SentBy } from "@chargemesh/ocpp/catalogue";
import type { Action, Req, Res, V16 } from "@chargemesh/ocpp/version";

/** What a charger may send, and what it may be sent. */
export type Sent = SentBy<V16["catalogue"], "station"> & Action<V16>;
export type Received = SentBy<V16["catalogue"], "csms"> & Action<V16>;

/** The payload of a CALL of OCPP 1.6, and of its CALLRESULT. */
export type Request<A extends Action<V16>> = Req<V16, A>;
export type Response<A extends Action<V16>> = Res<V16, A>;

/** An answer, and what the charger does once it is sent. */
export interface Handled<A extends Received> {
  readonly answer: Response<A>;
  readonly after?: () => void;
}
