/** How a call over REST ended. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The system is not there, or not ready: worth another try. */
export class Unreachable extends Error {}

const CALL_MS = 10_000;

/** One call. Throws Unreachable if there is no answer, or one that says to come back later (429, 5xx). */
export async function call(url: string, method: "POST" | "PATCH", body: object, accessToken?: string): Promise<Answer> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (accessToken !== undefined) headers.authorization = `Bearer ${accessToken}`;
  const signal = AbortSignal.timeout(CALL_MS);
  let answer: Answer;
  try {
    const response = await fetch(url, { method, headers, body: JSON.stringify(body), signal });
    answer = { status: response.status, body: objectOf(await response.text()) };
  } catch (err) {
    throw new Unreachable(`${url} does not answer`, { cause: err });
  }
  if (answer.status === 429 || answer.status >= 500) throw new Unreachable(`${url} answers ${answer.status}`);
  return answer;
}

function objectOf(text: string): Record<string, unknown> {
  if (!text.startsWith("{")) return {};
  return JSON.parse(text);
}
