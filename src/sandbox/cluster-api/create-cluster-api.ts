import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { listen } from '../listen.ts';
import { createAuthentication } from './authentication.ts';
import { type Authorize, allowAll } from './authorization.ts';
import { createFaults, type Faults } from './faults.ts';
import { createHttpHandler } from './http-handler.ts';
import { startNamespaceLifecycle } from './namespace-lifecycle.ts';
import { createObjectStore, type ObjectStore } from './object-store.ts';
import { createReviews } from './reviews.ts';
import { createTokens, type Tokens, type TokensOptions } from './tokens.ts';

export interface ClusterApiOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The bearer token of the one person who may always do everything. */
  readonly adminToken: string;
  /** Certificate and key, PEM: the API speaks HTTPS. Without, HTTP: kubectl then sends no token and gets 401. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Of service-account tokens. Default `https://kubernetes.default.svc.cluster.local`. */
  readonly issuer?: string;
  /** Who the API is, to service-account tokens. Default: the issuer. */
  readonly audiences?: readonly string[];
  /** An RS256 key pair for service-account tokens. Default: a new one. */
  readonly signingKeys?: NonNullable<TokensOptions['signingKeys']>;
  /** Who may do what; default: all, everything. */
  readonly authorize?: Authorize;
  /** How many changes watches can resume from. Default 10,000. */
  readonly historyLimit?: number;
  /** Milliseconds between bookmarks. Default 60,000. */
  readonly bookmarkMillis?: number;
}

/** A listening cluster API. */
export interface ListeningClusterApi {
  /** `https://127.0.0.1:41234`. */
  readonly url: string;
  /** Ends all requests and watches, then listening. */
  close(): Promise<void>;
}

export interface ClusterApi {
  /** The objects, for code in this process. Requests see its changes and it sees theirs. */
  readonly store: ObjectStore;
  readonly tokens: Tokens;
  readonly faults: Faults;
  /**
   * Listens; port 0 takes any free one. May be called more than once: each listener serves the same cluster.
   *
   * @throws PodpassError ERR_LISTEN when the address cannot be had.
   */
  listen(host: string, port: number): Promise<ListeningClusterApi>;
}

/**
 * A Kubernetes API small enough to live inside one process and near enough to the real one for kubectl and for
 * podpass: objects without schemas, lists in pages, watches with bookmarks and WatchList, patches, tokens. It knows
 * who asks; it does not know RBAC: `authorization.ts`. No controllers run but that of namespaces.
 *
 * @example
 * ```ts
 * const api = createClusterApi({ clock: systemClock, random: systemRandom, adminToken, tls });
 * await loadManifests(api.store, 'deploy/sandbox');
 * const { url, close } = await api.listen('127.0.0.1', 0);
 * ```
 */
export function createClusterApi(options: ClusterApiOptions): ClusterApi {
  const {
    clock,
    random,
    adminToken,
    tls,
    authorize = allowAll,
    historyLimit,
    bookmarkMillis = 60_000,
  } = options;
  const { issuer = 'https://kubernetes.default.svc.cluster.local', signingKeys } = options;
  const store = createObjectStore({ clock, random, ...(historyLimit !== undefined && { historyLimit }) });
  startNamespaceLifecycle(store);
  const audiences = options.audiences ?? [issuer];
  const tokens = createTokens({
    store,
    clock,
    random,
    issuer,
    audiences,
    ...(signingKeys && { signingKeys }),
  });
  const authentication = createAuthentication(adminToken, tokens);
  const reviews = createReviews({ authentication, authorize, tokens });
  const faults = createFaults(clock, () => store.expireHistory());
  const api = { store, clock, random, authentication, authorize, tokens, reviews, faults, bookmarkMillis };
  const handler = createHttpHandler(api);
  return { store, tokens, faults, listen: (host, port) => serve(handler, tls, host, port) };
}

async function serve(
  handler: RequestListener,
  tls: ClusterApiOptions['tls'],
  host: string,
  port: number,
): Promise<ListeningClusterApi> {
  const server = tls
    ? createHttpsServer({ cert: tls.cert, key: tls.key }, handler)
    : createHttpServer(handler);
  const { authority } = await listen(server, host, port, "the sandbox's cluster API");
  return {
    url: `${tls ? 'https' : 'http'}://${authority}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
