import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { channelTo } from './channel.ts';

const settings = { credentials: 'insecure' } as const;

describe('a channel', () => {
  const cases: [host: string, ip: string, target: string, authority: string][] = [
    ['podpass-server', '10.0.0.1', 'ipv4:10.0.0.1:443', 'podpass-server:443'],
    ['podpass-server', '2001:db8::1', 'ipv6:[2001:db8::1]:443', 'podpass-server:443'],
    ['2001:db8::1', '2001:db8::1', 'ipv6:[2001:db8::1]:443', '[2001:db8::1]:443'],
  ];
  for (const [host, ip, target, authority] of cases) {
    it(`to ${host} at ${ip} dials the address and has the certificate checked for the name`, () => {
      const [dialled, , options] = channelTo({ host, ip, port: 443 }, settings);
      assert.equal(dialled, target);
      assert.equal(options['grpc.default_authority'], authority);
      assert.equal(options['grpc.ssl_target_name_override'], host);
    });
  }

  it("has kiam's keepalive unless told otherwise, and pings only while a call is open", () => {
    const server = { host: 'podpass-server', ip: '10.0.0.1', port: 443 };
    const [, , usual] = channelTo(server, settings);
    assert.equal(usual['grpc.keepalive_time_ms'], 10_000);
    assert.equal(usual['grpc.keepalive_timeout_ms'], 2_000);
    // kiam's servers end the connection of who pings without a call.
    assert.equal(usual['grpc.keepalive_permit_without_calls'], undefined);
    const [, , own] = channelTo(server, { ...settings, keepaliveTime: 20_000, keepaliveTimeout: 5_000 });
    assert.equal(own['grpc.keepalive_time_ms'], 20_000);
    assert.equal(own['grpc.keepalive_timeout_ms'], 5_000);
  });

  it('uses the credentials it is given, and goes through no proxy', () => {
    const given = credentials.createSsl();
    const [, used, options] = channelTo({ host: 'a', ip: '10.0.0.1', port: 1 }, { credentials: given });
    assert.equal(used, given);
    assert.equal(options['grpc.enable_http_proxy'], 0);
  });
});
