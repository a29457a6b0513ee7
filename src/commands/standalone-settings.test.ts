import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { standaloneFlags } from './standalone-flags.ts';
import { readStandaloneSettings, type StandaloneFlags } from './standalone-settings.ts';

const defaults = Object.fromEntries(
  Object.entries(standaloneFlags).map(([key, definition]) => [key, definition.default]),
) as unknown as StandaloneFlags;

function read(given: Partial<StandaloneFlags> = {}) {
  return readStandaloneSettings({ ...defaults, node: 'node-1', ...given });
}

describe('readStandaloneSettings', () => {
  it('keeps metrics off the port that pods reach', () => {
    const cases: [given: Partial<StandaloneFlags>, address: string, notes: number][] = [
      [{}, ':9620', 1],
      [{ appPort: 9000 }, ':8181', 0],
      [{ metricsPort: 9543 }, ':9543', 0],
      [{ appPort: 9543, metricsPort: 9543 }, ':9620', 1],
      [{ prometheusListenAddr: '127.0.0.1:9000' }, '127.0.0.1:9000', 0],
      [{ appPort: 0, metricsPort: 0 }, ':0', 0],
    ];
    for (const [given, address, notes] of cases) {
      const settings = read(given);
      assert.equal(settings.process.prometheusListenAddr, address);
      assert.equal(settings.notes.length, notes);
    }
  });

  it('asks for sessions of twice the time to live, within what AWS gives', () => {
    const minute = 60_000;
    const cases: [ttl: number, session: number, notes: RegExp | undefined][] = [
      [15 * minute, 30 * minute, undefined],
      [7.5 * minute, 15 * minute, undefined],
      [360 * minute, 720 * minute, undefined],
      [5 * minute, 15 * minute, /--iam-role-session-ttl=5m.* 10m.* 15m is used/],
      [361 * minute, 720 * minute, /12h is used/],
    ];
    for (const [iamRoleSessionTtl, session, note] of cases) {
      const settings = read({ iamRoleSessionTtl, metricsPort: 9543 });
      assert.equal(settings.sessionMillis, session);
      if (note) assert.match(settings.notes.join(), note);
      else assert.deepEqual(settings.notes, []);
    }
  });

  it('takes the metadata service by host, with or without a port', () => {
    assert.equal(read().metadataEndpoint, 'http://169.254.169.254');
    assert.equal(read({ metadataAddr: '127.0.0.1:1338' }).metadataEndpoint, 'http://127.0.0.1:1338');
    assert.equal(read({ metadataAddr: '[fd00:ec2::254]' }).metadataEndpoint, 'http://[fd00:ec2::254]');
    for (const metadataAddr of ['', 'a b', 'http://x', 'x/y', 'user@x', '1.2.3.4:99999']) {
      assert.throws(() => read({ metadataAddr }), { code: 'ERR_USAGE', message: /--metadata-addr/ });
    }
  });

  it("has kube2iam's levels and formats of the log", () => {
    assert.equal(read().process.level, 'info');
    assert.equal(read({ logLevel: 'trace' }).process.level, 'debug');
    assert.equal(read({ logLevel: 'warning' }).process.level, 'warn');
    assert.equal(read({ logLevel: 'fatal' }).process.level, 'error');
    assert.equal(read({ logLevel: 'error', verbose: true }).process.level, 'debug');
    assert.equal(read({ logFormat: 'JSON' }).process.jsonLog, true);
    assert.equal(read({ logFormat: 'logfmt' }).process.jsonLog, false);
  });

  for (const [given, said] of [
    [
      { baseRoleArn: 'arn:aws:iam::123456789012:role/', autoDiscoverBaseArn: true },
      /--auto-discover-base-arn cannot be used if --base-role-arn is specified/,
    ],
    [
      { defaultRole: 'x', autoDiscoverDefaultRole: true },
      /You cannot use --default-role and --auto-discover-default-role at the same time/,
    ],
    [{ iptables: true }, /--host-ip must be set/],
    [{ node: undefined }, /neither --node nor --host-ip is given/],
  ] as const) {
    it(`refuses ${JSON.stringify(given)}, as kube2iam or because it must know`, () => {
      assert.throws(() => read(given), { code: 'ERR_USAGE', message: said });
    });
  }

  it('lets the discovered default role win over a base ARN, as kube2iam does', () => {
    read({ baseRoleArn: 'arn:aws:iam::123456789012:role/', autoDiscoverDefaultRole: true });
    read({ node: undefined, hostIp: ['10.0.0.1'] });
  });
});
