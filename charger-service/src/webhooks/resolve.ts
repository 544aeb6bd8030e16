import { lookup, Resolver } from "node:dns/promises";

/** The addresses of a name, until `signal` says that nobody wants them any more. Throws if there are none. */
export type Resolve = (name: string, signal: AbortSignal) => Promise<string[]>;

/** What a name server says of a name that it does not have. */
const NOT_FOUND = new Set(["ENOTFOUND", "ENODATA"]);

/**
 * Asks the name servers, and where they have nothing the machine's own files and search domains. That second way, which occupies a thread for
 * as long as it takes, and there are few, is not open to names that somebody else's name server only answers slowly.
 */
export const resolveName: Resolve = async (name, signal) => {
  const addresses = name.includes(".") ? await askServers(name, signal) : [];
  return addresses.length > 0 ? addresses : (await lookup(name, { all: true })).map(({ address }) => address);
};

async function askServers(name: string, signal: AbortSignal): Promise<string[]> {
  const resolver = new Resolver();
  const cancel = (): void => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    const failure = answers.find((answer) => answer.status === "rejected" && !NOT_FOUND.has(answer.reason.code));
    if (addresses.length === 0 && failure?.status === "rejected") throw failure.reason;
    return addresses;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
