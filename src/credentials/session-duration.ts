/**
 * The longest session, in seconds, that AssumeRole gives to a caller whose own credentials come from a role: AWS calls
 * that role chaining, and the MaxSessionDuration of the role asked for does not lift it. Instance roles, IRSA and
 * `--assume-role-arn` are all roles; only the access key of an IAM user is not.
 */
export const chainingLimitSeconds = 3_600;

/** What STS takes as DurationSeconds. */
const shortestSeconds = 900;
const longestSeconds = 43_200;

/**
 * The session length to ask STS for.
 *
 * @param chained whether podpass calls STS with the credentials of a role (`describeCaller` tells).
 * @returns whole seconds, and where that is not what was requested, a note for a person that says why.
 */
export function capSessionDuration({
  requestedSeconds,
  chained,
}: {
  readonly requestedSeconds: number;
  readonly chained: boolean;
}): { readonly seconds: number; readonly note?: string } {
  const seconds = Math.round(requestedSeconds);
  if (seconds < shortestSeconds) {
    return {
      seconds: shortestSeconds,
      note: `Sessions of ${seconds} s were asked for; AWS gives none shorter than 15m, so that is used.`,
    };
  }
  if (chained && seconds > chainingLimitSeconds) {
    return {
      seconds: chainingLimitSeconds,
      note: `Sessions of ${seconds} s were asked for; podpass calls STS with the credentials of a role, for which AWS limits sessions to 1h (role chaining), so that is used.`,
    };
  }
  if (seconds > longestSeconds) {
    return {
      seconds: longestSeconds,
      note: `Sessions of ${seconds} s were asked for; AWS gives none longer than 12h, so that is used.`,
    };
  }
  return { seconds };
}
