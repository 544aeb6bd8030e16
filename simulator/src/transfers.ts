import type { Charger } from "./state.ts";
import type { Cancel } from "./time.ts";

/** A file on its way to or from the charger. */
export interface Transfer {
  /** Whether it was called off; nothing more is said of it then. */
  cancelled: boolean;
  /** Calls off the next try. */
  nextTry: Cancel | undefined;
}

/** How often to try again after a failure, and how many seconds to wait before each. */
export interface Retries {
  readonly retries?: number | undefined;
  readonly retryInterval?: number | undefined;
}

/** How long one try may take, in ms. */
const TRY_MS = 60_000;
/** More than any firmware or log of a simulated charger. */
const FILE_BYTES_MAX = 100_000_000;

/** Puts `text` at `url`; a URL that ends in a slash is that of the folder for a file of this name. Throws if it cannot. */
export async function upload(url: string, fileName: string, text: string): Promise<void> {
  const target = url.endsWith("/") ? `${url}${encodeURIComponent(fileName)}` : url;
  const response = await fetch(target, { method: "PUT", body: text, signal: AbortSignal.timeout(TRY_MS) });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
}

/** Gets a file. Throws if it cannot. */
export async function download(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TRY_MS) });
  const isTooLong = Number(response.headers.get("content-length")) > FILE_BYTES_MAX;
  if (response.ok && !isTooLong) return Buffer.from(await response.arrayBuffer());
  await response.body?.cancel();
  throw new Error(isTooLong ? "too long" : `HTTP ${response.status}`);
}

/** What is to become of a transfer. Each is told at most once a try, and none of them once it is called off. */
export interface Course<T> {
  begins(): void;
  attempt(): Promise<T>;
  succeeds(result: T): void;
  /** It is tried again as long as it may. */
  fails(): void;
}

/** Tries until it is done or has failed for the last time. */
export function transfer<T>(charger: Charger, { retries = 0, retryInterval = 0 }: Retries, course: Course<T>): Transfer {
  const one: Transfer = { cancelled: false, nextTry: undefined };
  const goesOn = (): boolean => !one.cancelled && !charger.closed;
  const run = (left: number): void => {
    if (!goesOn()) return;
    course.begins();
    course.attempt().then(
      (result) => goesOn() && course.succeeds(result),
      () => {
        if (!goesOn()) return;
        course.fails();
        if (left > 0) one.nextTry = charger.time.after(retryInterval * 1000, () => run(left - 1));
      },
    );
  };
  run(retries);
  return one;
}

/** Nothing more comes of it. */
export function callOff(one: Transfer | undefined): void {
  if (one === undefined) return;
  one.cancelled = true;
  one.nextTry?.();
}
