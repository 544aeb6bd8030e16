/** An answer of the REST API. */
export interface Answer {
  status: number;
  headers: Headers;
  // Tests assert what is in it, value by value.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what is tested
  body: any;
}

/** Calls the REST API as one caller. */
export type Rest = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** A caller of the API at `url`, with an access token or without. */
export function restOf(url: string, accessToken?: string): Rest {
  return async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
  };
}

/** Signs in, and answers a caller who is signed in. */
export async function signIn(url: string, credentials: { username: string; password: string }): Promise<Rest> {
  const { body } = await restOf(url)("POST", "/auth/login", credentials);
  return restOf(url, body.accessToken);
}

/** Asks until the answer is there; the test's own time limit ends it otherwise. */
export async function eventually<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
