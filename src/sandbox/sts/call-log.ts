/** One call that STS has answered. Holds no secret: no external id, token or key. */
export interface StsCallRecord {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly action: string;
  /** ARN of the caller's session; absent for unsigned calls and for those whose signature did not hold. */
  readonly caller?: string;
  readonly roleArn?: string;
  readonly sessionName?: string;
  /** `ok`, or the error code answered, or `ConnectionReset`. */
  readonly outcome: string;
}

/** The latest calls, oldest first. */
export interface CallLog {
  readonly records: readonly StsCallRecord[];
  /** Adds one, and forgets the oldest when there are too many. */
  add(record: StsCallRecord): void;
  clear(): void;
}

export function createCallLog(capacity = 10_000): CallLog {
  let records: StsCallRecord[] = [];
  return {
    get records() {
      return records.length > capacity ? records.slice(-capacity) : records;
    },
    add(record) {
      records.push(record);
      // Cut rarely, so that adding stays cheap.
      if (records.length >= capacity * 2) records = records.slice(-capacity);
    },
    clear() {
      records = [];
    },
  };
}
