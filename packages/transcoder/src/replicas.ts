import { type ChannelOptions, experimental } from "@grpc/grpc-js";

const SCHEME = "replicas";
/** How long until a name that could not be resolved is asked for again while other replicas serve, in ms. */
const RETRY_MS = 10_000;

type Resolution = Parameters<experimental.ResolverListener>[0];

/**
 * The target, for any client of grpc-js in this process, of one service that has several replicas: `host:port` each, names and addresses
 * side by side. gRPC's own targets take several addresses, but only one name. Which replica a call goes to is up to the channel's
 * `grpc.service_config`; with TLS, all of them are expected to have a certificate for the first host.
 */
export function targetOf(addresses: readonly string[]): string {
  const [only = ""] = addresses;
  if (addresses.length < 2) return only;
  experimental.registerResolver(SCHEME, ReplicaResolver);
  return `${SCHEME}:${addresses.join(",")}`;
}

/** Resolves each replica as if it were alone, and hands on all that were found. */
class ReplicaResolver implements experimental.Resolver {
  private readonly children: readonly experimental.Resolver[];
  private readonly found: (Resolution | undefined)[];
  private readonly listener: experimental.ResolverListener;
  private retry: NodeJS.Timeout | undefined;

  constructor(target: experimental.GrpcUri, listener: experimental.ResolverListener, options: ChannelOptions) {
    const paths = target.path.split(",");
    this.listener = listener;
    this.found = paths.map(() => undefined);
    this.children = paths.map((path, index) =>
      experimental.createResolver({ scheme: "dns", path }, (resolution) => this.take(index, resolution), options),
    );
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return path.split(",", 1)[0] ?? path;
  }

  updateResolution(): void {
    for (const child of this.children) child.updateResolution();
  }

  destroy(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    for (const child of this.children) child.destroy();
  }

  /** Waits for the first word of every replica, so that calls are spread from the beginning. */
  private take(index: number, resolution: Resolution): boolean {
    this.found[index] = resolution;
    const known = this.found.flatMap((one) => one ?? []);
    if (known.length < this.children.length) return true;
    const endpoints = known.flatMap((one) => (one.ok ? one.value : []));
    if (endpoints.length === 0) return this.listener(resolution, {}, null, "");
    if (known.some(({ ok }) => !ok)) this.askAgain();
    return this.listener(experimental.statusOrFromValue(endpoints), {}, null, "");
  }

  /** When all fail the channel asks again by itself. */
  private askAgain(): void {
    this.retry ??= setTimeout(() => {
      this.retry = undefined;
      for (const [index, child] of this.children.entries()) if (this.found[index]?.ok === false) child.updateResolution();
    }, RETRY_MS).unref();
  }
}
