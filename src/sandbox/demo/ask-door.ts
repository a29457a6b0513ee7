/** How the metadata door answered a request for credentials, as a client without an SDK sees it. */
export interface DoorAnswer {
  /** Of the last answer: the list of roles, if that was not 200, else the credentials. */
  readonly status: number;
  readonly body: string;
}

const path = '/latest/meta-data/iam/security-credentials/';

/** Walks the metadata protocol by hand: token (for IMDSv2), role name, credentials. */
export async function askDoor(url: string, imds: 'v1' | 'v2', signal: AbortSignal): Promise<DoorAnswer> {
  const headers: Record<string, string> = {};
  if (imds === 'v2') {
    const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
    const response = await fetch(`${url}/latest/api/token`, { method: 'PUT', headers: ttl, signal });
    headers['x-aws-ec2-metadata-token'] = await response.text();
  }
  const list = await get(path);
  return list.status === 200 ? get(path + list.body) : list;

  async function get(target: string): Promise<DoorAnswer> {
    const response = await fetch(url + target, { headers, redirect: 'manual', signal });
    return { status: response.status, body: await response.text() };
  }
}

/** The message of a refusal, from JSON or from plain text. */
export function reasonOf(body: string): string {
  try {
    const { Message } = JSON.parse(body) as { Message?: unknown };
    return typeof Message === 'string' ? Message : '';
  } catch {
    return body.split('\n', 1)[0] ?? '';
  }
}
