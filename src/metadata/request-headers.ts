import type { IncomingMessage } from 'node:http';

/** The few headers that the door looks at. */
export interface RequestHeaders {
  host: string | undefined;
  /** `X-aws-ec2-metadata-token`. */
  token: string | undefined;
  /** `X-aws-ec2-metadata-token-ttl-seconds`. */
  ttl: string | undefined;
  /** Whether there is an `X-Forwarded-For`. */
  forwarded: boolean;
  /** Bytes of body announced: NaN if that is not known beforehand (chunked), infinite if never. */
  bodyLength: number;
  /** One of those that may stand only once stands twice. */
  repeated: boolean;
}

/** As EC2's guide spells it, and as some SDKs send it. */
const tokenHeader = 'X-aws-ec2-metadata-token';
const tokenHeaderLower = tokenHeader.toLowerCase();
export const ttlHeader = 'X-aws-ec2-metadata-token-ttl-seconds';
const ttlHeaderLower = ttlHeader.toLowerCase();

/**
 * Picks the headers out of the raw list. Node's `headers` builds an object of all of them first, which costs more
 * than all the rest that the door does for a request; the length of a name tells most of them apart.
 */
export function readHeaders({ rawHeaders }: IncomingMessage): RequestHeaders {
  const found: RequestHeaders = {
    host: undefined,
    token: undefined,
    ttl: undefined,
    forwarded: false,
    bodyLength: 0,
    repeated: false,
  };
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    switch (name.length) {
      case 4:
        if (name === 'Host' || name.toLowerCase() === 'host') {
          if (found.host !== undefined) found.repeated = true;
          found.host = rawHeaders[i + 1];
        }
        break;
      case 14:
        // Node's parser has refused a length that is none, or that stands twice.
        if (name.toLowerCase() === 'content-length') found.bodyLength += Number(rawHeaders[i + 1]);
        break;
      case 15:
        if (name.toLowerCase() === 'x-forwarded-for') found.forwarded = true;
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') {
          const chunked = rawHeaders[i + 1]?.toLowerCase() === 'chunked';
          // Nobody can tell where another coding ends.
          found.bodyLength = chunked ? Number.NaN : Number.POSITIVE_INFINITY;
        }
        break;
      case 24:
        if (name === tokenHeader || name === tokenHeaderLower || name.toLowerCase() === tokenHeaderLower) {
          if (found.token !== undefined) found.repeated = true;
          found.token = rawHeaders[i + 1];
        }
        break;
      case 36:
        if (name.toLowerCase() === ttlHeaderLower) {
          if (found.ttl !== undefined) found.repeated = true;
          found.ttl = rawHeaders[i + 1];
        }
        break;
    }
  }
  return found;
}
