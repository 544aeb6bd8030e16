/** An event as it is on the wire: CloudEvents 1.0 in its JSON format. */
export interface CloudEvent {
  specversion: "1.0";
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  datacontenttype: "application/json";
  /** The message named by `type`, in proto3 JSON. */
  data: unknown;
  /** The request that caused it, if it was one. */
  requestid?: string;
  /** The same as W3C Trace Context says it, if its id is that of a trace. */
  traceparent?: string;
}
