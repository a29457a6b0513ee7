/** What a metric is, before it exists. `docs/reference/metrics.md` is written from this file and checked against it. */
export interface MetricDefinition {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Which process reports it. A standalone node reports what agent and server do, but for what is between them. */
  readonly process: 'agent' | 'server' | 'both' | 'standalone';
  /** Upper bounds of a histogram's buckets, in the unit of its name. */
  readonly buckets?: readonly number[];
  /** Read from tallies at each scrape instead of being told of each value (`bulk-histogram.ts`). */
  readonly bulk?: true;
  /** Absent from the other processes, where a 0 would be taken for a fact. The others are in both, as kiam's are. */
  readonly exclusive?: true;
}

/** The labels of go-grpc-prometheus. */
const callLabels = ['grpc_type', 'grpc_service', 'grpc_method'] as const;
const handledLabels = [...callLabels, 'grpc_code'] as const;

/** kiam's: 13 buckets from 1 ms to 4.096 s. Kept, because dashboards are drawn on them. */
const kiamBuckets = Array.from({ length: 13 }, (_, power) => 2 ** power / 1_000);

/** kube2iam's: one more. */
const kube2iamBuckets = [...kiamBuckets, 8.192];

/**
 * Every metric that podpass reports, in one place. Names that begin with `kiam_` or `kube2iam_` are those of kiam and
 * kube2iam with their labels, so that their dashboards and alerts go on working; what they had no name for begins with
 * `podpass_`.
 */
export const metricCatalogue = {
  logLinesLost: {
    name: 'podpass_log_lines_lost_total',
    kind: 'counter',
    help: 'Lines of the log that nobody read in time, or that the disk had no room for. Nothing waits for them.',
    labels: [],
    process: 'both',
  },
  // The metadata door.
  metadataLatency: {
    name: 'kiam_metadata_handler_latency_seconds',
    kind: 'histogram',
    help: 'Time from the request line to the last byte of the answer, by handler.',
    labels: ['handler'],
    process: 'agent',
    buckets: kiamBuckets,
    bulk: true,
  },
  metadataResponses: {
    name: 'kiam_metadata_responses_total',
    kind: 'counter',
    help: 'Answers of the metadata door, by handler and HTTP status.',
    labels: ['handler', 'code'],
    process: 'agent',
  },
  metadataSuccess: {
    name: 'kiam_metadata_success_total',
    kind: 'counter',
    help: 'Answers of the metadata door with status 200, by handler.',
    labels: ['handler'],
    process: 'agent',
  },
  metadataFindRoleErrors: {
    name: 'kiam_metadata_find_role_errors_total',
    kind: 'counter',
    help: 'Requests whose pod was not known, or not known for certain, by handler.',
    labels: ['handler'],
    process: 'agent',
  },
  metadataEmptyRole: {
    name: 'kiam_metadata_empty_role_total',
    kind: 'counter',
    help: 'Requests of pods that have no role, by handler.',
    labels: ['handler'],
    process: 'agent',
  },
  metadataCredentialErrors: {
    name: 'kiam_metadata_credential_fetch_errors_total',
    kind: 'counter',
    help: 'Requests for credentials that were refused or could not be served, by handler.',
    labels: ['handler'],
    process: 'agent',
  },
  metadataEncodeErrors: {
    name: 'kiam_metadata_credential_encode_errors_total',
    kind: 'counter',
    help: 'Always 0: credentials are rendered when they arrive. Kept for the dashboards of kiam.',
    labels: ['handler'],
    process: 'agent',
  },
  metadataProxyBlocked: {
    name: 'kiam_metadata_proxy_requests_blocked_total',
    kind: 'counter',
    help: 'Requests for other metadata that --allow-route-regexp does not allow.',
    labels: [],
    process: 'agent',
  },
  metadataUpstreamFailures: {
    name: 'podpass_metadata_upstream_failures_total',
    kind: 'counter',
    help: 'Allowed requests for other metadata that the metadata service of the node did not answer as it should, by reason.',
    labels: ['reason'],
    process: 'agent',
  },
  metadataConnections: {
    name: 'podpass_metadata_connections',
    kind: 'gauge',
    help: 'Connections open at the metadata door.',
    labels: [],
    process: 'agent',
  },
  metadataConnectionsRefused: {
    name: 'podpass_metadata_connections_refused_total',
    kind: 'counter',
    help: 'Connections closed because one address had too many, because there were too many in all, or to give another address its share, by limit.',
    labels: ['limit'],
    process: 'agent',
  },
  // The host.
  firewallOk: {
    name: 'podpass_firewall_ok',
    kind: 'gauge',
    help: 'Whether the rule that --iptables installs is in place (1). 0 also where the agent does not install one.',
    labels: [],
    process: 'agent',
  },
  firewallRepairs: {
    name: 'podpass_firewall_repairs_total',
    kind: 'counter',
    help: 'How often the rule or the routing rules of the guard were missing or changed and were installed again.',
    labels: ['part'],
    process: 'agent',
  },
  // The broker.
  brokerPods: {
    name: 'podpass_broker_pods',
    kind: 'gauge',
    help: 'Pods held in memory, by what became of their decision.',
    labels: ['decision'],
    process: 'both',
  },
  brokerAddressConflicts: {
    name: 'podpass_broker_address_conflicts',
    kind: 'gauge',
    help: 'Addresses that more than one live pod claims; requests from them are refused.',
    labels: [],
    process: 'both',
  },
  feedLatency: {
    name: 'podpass_feed_latency_seconds',
    kind: 'histogram',
    help: 'Time from a pod event at the server until its credentials went out to the agent.',
    labels: [],
    process: 'server',
    buckets: kiamBuckets,
  },
  feedNodes: {
    name: 'podpass_feed_nodes',
    kind: 'gauge',
    help: 'Nodes whose agent is connected to this server.',
    labels: [],
    process: 'server',
  },
  feedConnected: {
    name: 'podpass_feed_connected',
    kind: 'gauge',
    help: 'Whether the agent has a live stream from a server (1) or serves from memory alone (0).',
    labels: [],
    process: 'agent',
  },
  feedReconnects: {
    name: 'podpass_feed_reconnects_total',
    kind: 'counter',
    help: 'Streams from a server that ended and had to be opened again.',
    labels: [],
    process: 'agent',
  },
  // gRPC between agent and server, under the names of go-grpc-prometheus, which kiam uses.
  grpcServerStarted: {
    name: 'grpc_server_started_total',
    kind: 'counter',
    help: 'Calls begun on the server.',
    labels: callLabels,
    process: 'server',
  },
  grpcServerHandled: {
    name: 'grpc_server_handled_total',
    kind: 'counter',
    help: 'Calls ended on the server, by status code.',
    labels: handledLabels,
    process: 'server',
  },
  grpcServerReceived: {
    name: 'grpc_server_msg_received_total',
    kind: 'counter',
    help: 'Messages received by the server.',
    labels: callLabels,
    process: 'server',
  },
  grpcServerSent: {
    name: 'grpc_server_msg_sent_total',
    kind: 'counter',
    help: 'Messages sent by the server.',
    labels: callLabels,
    process: 'server',
  },
  grpcClientStarted: {
    name: 'grpc_client_started_total',
    kind: 'counter',
    help: 'Calls begun on the client.',
    labels: callLabels,
    process: 'agent',
  },
  grpcClientHandled: {
    name: 'grpc_client_handled_total',
    kind: 'counter',
    help: 'Calls ended on the client, by status code.',
    labels: handledLabels,
    process: 'agent',
  },
  grpcClientReceived: {
    name: 'grpc_client_msg_received_total',
    kind: 'counter',
    help: 'Messages received by the client.',
    labels: callLabels,
    process: 'agent',
  },
  grpcClientSent: {
    name: 'grpc_client_msg_sent_total',
    kind: 'counter',
    help: 'Messages sent by the client.',
    labels: callLabels,
    process: 'agent',
  },
  // TLS between agent and server. The names that begin with `grpc_` are kiam's.
  serverCertificateUpdateError: {
    name: 'grpc_server_tls_certificate_update_error',
    kind: 'gauge',
    help: 'Whether the latest gRPC server TLS certificate could not be taken into use (1); the one before serves on.',
    labels: [],
    process: 'server',
    exclusive: true,
  },
  serverCertificateVerifyError: {
    name: 'grpc_server_tls_certificate_verify_error',
    kind: 'gauge',
    help: 'Whether the latest gRPC server TLS certificate does not verify against --ca, or not at this time (1).',
    labels: [],
    process: 'server',
    exclusive: true,
  },
  serverCertificateExpiry: {
    name: 'grpc_server_tls_certificate_expiry_seconds',
    kind: 'gauge',
    help: 'When the gRPC server TLS certificate in use, or an authority above it, expires, in seconds since the Unix epoch.',
    labels: [],
    process: 'server',
    exclusive: true,
  },
  clientCertificateUpdateError: {
    name: 'grpc_client_tls_certificate_update_error',
    kind: 'gauge',
    help: 'Whether the latest gRPC client TLS certificate could not be taken into use (1); the one before serves on.',
    labels: [],
    process: 'agent',
    exclusive: true,
  },
  clientCertificateVerifyError: {
    name: 'grpc_client_tls_certificate_verify_error',
    kind: 'gauge',
    help: 'Whether the latest gRPC client TLS certificate does not verify against --ca, or not at this time (1).',
    labels: [],
    process: 'agent',
    exclusive: true,
  },
  clientCertificateExpiry: {
    name: 'grpc_client_tls_certificate_expiry_seconds',
    kind: 'gauge',
    help: 'When the gRPC client TLS certificate in use, or an authority above it, expires, in seconds since the Unix epoch.',
    labels: [],
    process: 'agent',
    exclusive: true,
  },
  tlsHandshakesRefused: {
    name: 'podpass_tls_handshakes_refused_total',
    kind: 'counter',
    help: 'Connections that TLS did not let in, by reason.',
    labels: ['reason'],
    process: 'server',
  },
  agentCalls: {
    name: 'podpass_agent_calls_total',
    kind: 'counter',
    help: 'Calls of agents, by how they proved which node they are on (token, address, certificate for not at all) and outcome: served, refused.',
    labels: ['proof', 'outcome'],
    process: 'server',
  },
  // Credentials.
  stsCacheSize: {
    name: 'kiam_sts_cacheSize',
    kind: 'gauge',
    help: 'Sessions held in memory.',
    labels: [],
    process: 'server',
  },
  stsCacheHits: {
    name: 'kiam_sts_cache_hit_total',
    kind: 'counter',
    help: 'Questions for credentials answered from memory.',
    labels: [],
    process: 'server',
  },
  stsCacheMisses: {
    name: 'kiam_sts_cache_miss_total',
    kind: 'counter',
    help: 'Questions for credentials that had to wait for STS.',
    labels: [],
    process: 'server',
  },
  stsErrors: {
    name: 'kiam_sts_issuing_errors_total',
    kind: 'counter',
    help: 'Calls of STS that gave no credentials.',
    labels: [],
    process: 'server',
  },
  stsOutcomes: {
    name: 'podpass_sts_calls_total',
    kind: 'counter',
    help: 'Calls of STS, by outcome: issued, refused, throttled, unavailable.',
    labels: ['outcome'],
    process: 'server',
  },
  stsTiming: {
    name: 'kiam_sts_assumerole_timing_seconds',
    kind: 'histogram',
    help: 'Duration of AssumeRole calls.',
    labels: [],
    process: 'server',
    buckets: kiamBuckets,
  },
  stsCurrent: {
    name: 'kiam_sts_assumerole_current',
    kind: 'gauge',
    help: 'AssumeRole calls under way.',
    labels: [],
    process: 'server',
  },
  droppedPods: {
    name: 'kiam_k8s_dropped_pods_total',
    kind: 'counter',
    help: 'Always 0: no pod is dropped under load. Kept for the dashboards of kiam.',
    labels: [],
    process: 'server',
  },
  // The watch.
  watchSynced: {
    name: 'podpass_watch_synced',
    kind: 'gauge',
    help: 'Whether the watch of a resource has seen the whole of it at least once (1) or not yet (0).',
    labels: ['resource'],
    process: 'server',
  },
  watchStale: {
    name: 'podpass_watch_stale_seconds',
    kind: 'gauge',
    help: 'How long the watch of a resource has been out of touch with the Kubernetes API; 0 while it is in touch.',
    labels: ['resource'],
    process: 'server',
  },
  watchRelists: {
    name: 'podpass_watch_relists_total',
    kind: 'counter',
    help: 'Full lists of a resource, by reason: start, expired, refused, silent.',
    labels: ['resource', 'reason'],
    process: 'server',
  },
  watchEvents: {
    name: 'podpass_watch_events_total',
    kind: 'counter',
    help: 'Watch events received, by resource and type.',
    labels: ['resource', 'type'],
    process: 'server',
  },
  watchObjects: {
    name: 'podpass_watch_objects',
    kind: 'gauge',
    help: 'Objects of a resource held in memory.',
    labels: ['resource'],
    process: 'server',
  },
  watchObjectsInvalid: {
    name: 'podpass_watch_objects_invalid_total',
    kind: 'counter',
    help: 'Objects that were skipped because they lack what every object has.',
    labels: ['resource'],
    process: 'server',
  },
  eventsWritten: {
    name: 'podpass_events_total',
    kind: 'counter',
    help: 'Kubernetes events, by reason and what became of them: written, aggregated, dropped, failed.',
    labels: ['reason', 'outcome'],
    process: 'server',
  },
  // kube2iam's.
  kube2iamRequests: {
    name: 'kube2iam_http_request_duration_seconds',
    kind: 'histogram',
    help: 'Time until the answers of the metadata door, by status, method and handler.',
    labels: ['code', 'method', 'handler'],
    process: 'standalone',
    buckets: kiamBuckets,
    bulk: true,
    exclusive: true,
  },
  kube2iamCalls: {
    name: 'kube2iam_iam_request_duration_seconds',
    kind: 'histogram',
    help: 'Duration of AssumeRole calls, by code (Success, or what STS or the network said) and role. The first 200 roles are named.',
    labels: ['code', 'role_arn'],
    process: 'standalone',
    buckets: kube2iamBuckets,
    exclusive: true,
  },
  kube2iamCacheHits: {
    name: 'kube2iam_iam_cache_hits_total',
    kind: 'counter',
    help: 'Requests for the role or the credentials that found credentials in memory, by role. The first 200 are named.',
    labels: ['role_arn'],
    process: 'standalone',
    exclusive: true,
  },
  kube2iamUnknownPods: {
    name: 'kube2iam_iam_k8s_pod_not_in_pod_cache',
    kind: 'counter',
    help: 'Requests whose pod was not known after --pod-wait.',
    labels: [],
    process: 'standalone',
    exclusive: true,
  },
  kube2iamDuplicates: {
    name: 'kube2iam_iam_k8s_dup_req_count',
    kind: 'counter',
    help: 'Always 0: the API server is not asked who has an address. Kept for the dashboards of kube2iam.',
    labels: [],
    process: 'standalone',
    exclusive: true,
  },
  kube2iamDuplicatesSolved: {
    name: 'kube2iam_iam_k8s_dup_req_success_count',
    kind: 'counter',
    help: 'Always 0, as the one above.',
    labels: [],
    process: 'standalone',
    exclusive: true,
  },
  kube2iamHealth: {
    name: 'kube2iam_healthcheck_status',
    kind: 'gauge',
    help: 'Whether /healthz answers 200 (1) or 503 (0). It does not ask the EC2 metadata service.',
    labels: [],
    process: 'standalone',
    exclusive: true,
  },
  kube2iamInfo: {
    name: 'kube2iam_info',
    kind: 'gauge',
    help: 'Always 1. The version is that of podpass.',
    labels: ['version', 'build_date', 'commit_hash'],
    process: 'standalone',
    exclusive: true,
  },
} as const satisfies Record<string, MetricDefinition>;
