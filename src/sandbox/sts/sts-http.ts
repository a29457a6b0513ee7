/** One HTTP request, taken off the wire whole. */
export interface StsHttpRequest {
  readonly method: string;
  /** The request target: `/`, or `/?Action=…`. */
  readonly target: string;
  /** Names in lower case; repeated headers joined with commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What is sent back. `reset`: the connection is to be broken. */
export type StsReply =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly requestId: string;
      /** XML. */
      readonly body: string;
    }
  | { readonly kind: 'reset' };
