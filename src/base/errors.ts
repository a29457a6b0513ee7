/**
 * Every error code, with what it means. Codes are part of the public interface: they appear in logs and on the
 * terminal, people search for them, and they never change their meaning. docs/reference/errors.md lists them.
 *
 * Errors are for the unexpected and for what a person must put right. What can be expected of a request (pod
 * unknown, role forbidden, STS refuses) is an outcome: a value, not an exception.
 */
export const errorCodes = {
  ERR_USAGE: 'The command line, an environment variable or a file named there is wrong.',
  ERR_FILE: 'A file that the configuration names cannot be read or does not hold what it should.',
  ERR_TLS: 'The certificate, key or CA bundle cannot be used.',
  ERR_TLS_CHAIN:
    'The certificate is not valid at this time, or does not come from an authority in the CA bundle.',
  ERR_LISTEN: 'An address cannot be listened on.',
  ERR_FIREWALL: 'The rule that sends metadata requests to the agent cannot be installed.',
  ERR_CLUSTER_CONFIG:
    'How to reach the Kubernetes API is not known: no service account and no usable kubeconfig.',
  ERR_METADATA_SERVICE: 'The EC2 metadata service did not answer as needed.',
  ERR_ROLE_ARN: 'A role ARN or role base ARN is not one.',
  ERR_STS: 'STS cannot be called as configured.',
  ERR_SERVER_UNREACHABLE: 'No podpass server answered within the time allowed.',
  ERR_SANDBOX: 'The sandbox could not be set up as asked.',
  ERR_INTERNAL: 'A defect in podpass. Please report it with the log lines around it.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/**
 * The one class of error that podpass throws. The message says what happened, to what, and what to do; it is
 * written for a person and never compared by code. Decide by `code`.
 *
 * @example
 * ```ts
 * throw new PodpassError('ERR_FILE', `cannot read --cert ${path}: ${cause.message}. Check the mount.`, { cause });
 * ```
 */
export class PodpassError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PodpassError';
    this.code = code;
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Marks the branch of an exhaustive `switch` that types rule out. */
export function unreachable(value: never): never {
  throw new PodpassError('ERR_INTERNAL', `unexpected value: ${JSON.stringify(value)}`);
}
