import type { NodemailerError } from "nodemailer";

/** The reply by which a mail server refuses a mail for good. */
export interface Bounce {
  /** 500 to 599. */
  code: number;
  /** As RFC 3463 has it: "5.1.1"; empty if the server does not say. */
  status: string;
  text: string;
}

/** Reads a reply 5xx; undefined if there is none. It may have several lines, each of which begins with the code (RFC 5321, section 4.2.1). */
export function readBounce({ responseCode: code, response }: NodemailerError): Bounce | undefined {
  if (code === undefined || code < 500 || code > 599 || response === undefined) return undefined;
  const lines = response.split(/\r?\n/).map((line) => line.replace(/^\d{3}[- ]?/, ""));
  // Each line begins with the enhanced status, too, if any does (RFC 2034, section 4).
  const status = /^5\.\d{1,3}\.\d{1,3}(?= |$)/.exec(lines[0] ?? "")?.[0] ?? "";
  const text = lines.map((line) => (status !== "" && line.startsWith(status) ? line.slice(status.length) : line).trim()).join(" ");
  return { code, status, text: text.trim() };
}
