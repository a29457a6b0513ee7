import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultRouteInterfaces } from './default-route-interfaces.ts';

const v4 = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
eni1a2b\t0500000A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
`;
const zero = '0'.repeat(32);
const v6 = `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth1
fd00${'0'.repeat(28)} 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001    cali0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00000201     dead0
`;

function read(files: Readonly<Record<string, string>>) {
  return defaultRouteInterfaces((path) => files[path] ?? '');
}

describe('defaultRouteInterfaces', () => {
  it('are those of the default routes of both families, and no others', () => {
    assert.deepEqual(read({ '/proc/net/route': v4, '/proc/net/ipv6_route': v6 }), ['eth0', 'eth1']);
  });

  it('are named once', () => {
    assert.deepEqual(read({ '/proc/net/route': v4, '/proc/net/ipv6_route': v6.replace('eth1', 'eth0') }), [
      'eth0',
    ]);
  });

  it('are none where there is no default route, or nothing can be read', () => {
    assert.deepEqual(read({ '/proc/net/route': v4.split('\n').slice(0, 1).join('\n') }), []);
    assert.deepEqual(read({}), []);
  });

  it('can be read of this host', () => {
    for (const name of defaultRouteInterfaces()) assert.match(name, /^[^\s/]{1,15}$/);
  });
});
