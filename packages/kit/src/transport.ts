import { type ChannelCredentials, type ChannelOptions, credentials, experimental, ServerCredentials } from "@grpc/grpc-js";
import { type Certificates, watchCertificates } from "./certificates.ts";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import { serviceNameIn } from "./peer.ts";

/** What a process speaks gRPC over: TLS with certificates on both ends, or plaintext. */
export interface Transport {
  /** Whether it is TLS. Then a service is who its certificate says, and no signed token counts. */
  readonly isSecure: boolean;
  readonly server: ServerCredentials;
  /**
   * For a channel to `callee`, the service that has to be at the other end, whatever host it is on. Undefined: no service of the mesh;
   * then its certificate has to be for the host of the target.
   */
  channelTo(callee: string | undefined): { credentials: ChannelCredentials; options: ChannelOptions };
}

const plaintext: Transport = {
  isSecure: false,
  server: ServerCredentials.createInsecure(),
  channelTo: () => ({ credentials: credentials.createInsecure(), options: {} }),
};

/**
 * The transport of `service`. With `certs`, a folder of certificates, it is TLS, and what changes there is taken up without a restart:
 * connections that are open stay, new ones use what is new. Throws ConfigError if there is no certificate for `service`.
 */
export async function openTransport(certs: string | undefined, service: string, stack: Stack, log: Logger): Promise<Transport> {
  if (certs === undefined) return plaintext;
  const provider = makeProvider();
  stack.defer("certificates", await watchCertificates(certs, service, provider.update, log));
  const channels = new Map<string | undefined, ReturnType<Transport["channelTo"]>>();
  return {
    isSecure: true,
    // A certificate is asked for and, if it is shown, verified; but users have none, and come in all the same.
    server: experimental.createCertificateProviderServerCredentials(provider, provider, false),
    channelTo(callee) {
      const channel = channels.get(callee) ?? makeChannel(provider, callee);
      channels.set(callee, channel);
      return channel;
    },
  };
}

function makeChannel(provider: experimental.CertificateProvider, callee: string | undefined): ReturnType<Transport["channelTo"]> {
  const make = experimental.createCertificateProviderChannelCredentials;
  if (callee === undefined) return { credentials: make(provider, provider), options: {} };
  const checkServerIdentity = (_host: string, { subjectaltname }: { subjectaltname?: string | undefined }): Error | undefined =>
    serviceNameIn(subjectaltname) === callee
      ? undefined
      : new Error(`the certificate shown is not for ${callee} but for ${subjectaltname}`);
  // Instead of the host of the target, which may be an address, which TLS has no way to ask for.
  return { credentials: make(provider, provider, { checkServerIdentity }), options: { "grpc.ssl_target_name_override": callee } };
}

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/** Hands certificates to all channels and servers. grpc-js's own reads files too, but drops every connection while they do not fit together. */
function makeProvider(): experimental.CertificateProvider & { update(certificates: Certificates): void } {
  const caListeners = new Set<CaListener>();
  const identityListeners = new Set<IdentityListener>();
  let latest: Certificates | undefined;
  const tell = ({ ca, certificate, key }: Certificates, cas: Iterable<CaListener>, identities: Iterable<IdentityListener>): void => {
    for (const listener of cas) listener({ caCertificate: ca });
    for (const listener of identities) listener({ certificate, privateKey: key });
  };
  // A server listens before it can bear to be told.
  const tellSoon = (cas: CaListener[], identities: IdentityListener[]): void => {
    queueMicrotask(() => latest !== undefined && tell(latest, cas, identities));
  };
  return {
    update(certificates) {
      latest = certificates;
      tell(certificates, caListeners, identityListeners);
    },
    addCaCertificateListener(listener) {
      caListeners.add(listener);
      tellSoon([listener], []);
    },
    removeCaCertificateListener: (listener) => void caListeners.delete(listener),
    addIdentityCertificateListener(listener) {
      identityListeners.add(listener);
      tellSoon([], [listener]);
    },
    removeIdentityCertificateListener: (listener) => void identityListeners.delete(listener),
  };
}
