import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createHostCheck } from './allowed-hosts.ts';

/** A connection that reached us at `localAddress`. */
function reachedAt(localAddress: string | undefined): Socket {
  return { localAddress } as Socket;
}

describe('createHostCheck', () => {
  const isAllowed = createHostCheck(['metadata.internal', 'Node-1']);

  const allowed: [string, string][] = [
    ['169.254.169.254', '10.0.0.7'],
    ['169.254.169.254:80', '10.0.0.7'],
    ['[fd00:ec2::254]', '10.0.0.7'],
    ['[FD00:EC2::254]:80', '10.0.0.7'],
    ['169.254.170.2', '10.0.0.7'],
    ['169.254.170.23', '10.0.0.7'],
    ['[fd00:ec2::23]', '10.0.0.7'],
    // kubelet's probe, and a client that was told the node's address.
    ['10.0.0.7:8181', '10.0.0.7'],
    ['10.0.0.7', '::ffff:10.0.0.7'],
    ['[2001:db8::7]:8181', '2001:db8::7'],
    ['127.0.0.1:8181', '127.0.0.1'],
    ['[::1]:8181', '::1'],
    ['localhost:8181', '127.0.0.1'],
    ['localhost', '::1'],
    ['LOCALHOST', '::ffff:127.0.0.1'],
    ['metadata.internal', '10.0.0.7'],
    ['Metadata.Internal:80', '10.0.0.7'],
    ['node-1:8181', '10.0.0.7'],
  ];
  for (const [host, reached] of allowed) {
    it(`takes ${host} on a connection to ${reached}`, () =>
      assert.equal(isAllowed(host, reachedAt(reached)), true));
  }

  const refused: [string, string][] = [
    ['rebound.attacker.example', '10.0.0.7'],
    ['169.254.169.254.attacker.example', '10.0.0.7'],
    ['169.254.169.254@attacker.example', '10.0.0.7'],
    ['169.254.169.254:80:80', '10.0.0.7'],
    ['169.254.169.254:x', '10.0.0.7'],
    ['169.254.169.254 ', '10.0.0.7'],
    ['', '10.0.0.7'],
    [':80', '10.0.0.7'],
    // Ours, in other spellings than clients write.
    ['2852039166', '10.0.0.7'],
    ['fd00:ec2::254', '10.0.0.7'],
    // Another node's address is not ours.
    ['10.0.0.8', '10.0.0.7'],
    ['localhost', '10.0.0.7'],
    ['127.0.0.1', '10.0.0.7'],
    ['metadata.internal.attacker.example', '10.0.0.7'],
    ['x.metadata.internal', '10.0.0.7'],
  ];
  for (const [host, reached] of refused) {
    it(`refuses ${JSON.stringify(host)} on a connection to ${reached}`, () =>
      assert.equal(isAllowed(host, reachedAt(reached)), false));
  }

  it('refuses what it cannot compare, once the connection has gone', () => {
    assert.equal(isAllowed('10.0.0.7', reachedAt(undefined)), false);
    assert.equal(isAllowed('169.254.169.254', reachedAt(undefined)), true);
  });

  it('knows no names unless they are configured', () => {
    assert.equal(createHostCheck([])('metadata.internal', reachedAt('10.0.0.7')), false);
  });
});
