import assert from 'node:assert/strict';
import type { RawAnswer } from './raw-client.ts';

/** Checks what every answer of the door has, whatever it is: a length, no caching, no coding, no redirect. */
export function checkShape({ status, headers, body }: RawAnswer): void {
  assert.equal(Number(headers['content-length']), Buffer.byteLength(body, 'latin1'));
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers.server, 'EC2ws');
  assert.equal(headers['content-encoding'], undefined);
  assert.equal(headers['transfer-encoding'], undefined);
  assert.equal(headers.location, undefined);
  assert.ok(status < 300 || status >= 400, `status ${status}`);
}
