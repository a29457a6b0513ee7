import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseHostInterfaces } from './host-interfaces.ts';
import { createInterfaceWatch } from './interface-watch.ts';
import { createFakeHost } from './testing/fake-host.ts';

function watch(flag: string, names: string[]) {
  const fake = createFakeHost({}, names);
  const interfaces = parseHostInterfaces(flag.split(','));
  return { ...fake, watch: createInterfaceWatch({ ...fake.options, interfaces }) };
}

describe('--host-interface beside the interfaces there are', () => {
  it('is said at once, and once, to name nothing, with what there is', () => {
    const { watch: interfaces, log } = watch('docker0', ['lo', 'eth0', 'cali1']);
    interfaces.look([]);
    interfaces.look([]);
    assert.equal(log.length, 1);
    assert.match(log[0] ?? '', /no interface of this node is docker0.*catches nothing.*"cali1,eth0,lo"/);
  });

  it('has a minute for the first pod where names only begin alike', async () => {
    const { watch: interfaces, log, clock, interfaceNames } = watch('cali+', ['lo', 'eth0']);
    interfaces.look([]);
    await clock.advance(59_000);
    interfaces.look([]);
    assert.equal(log.length, 0);
    await clock.advance(1_000);
    interfaces.look([]);
    assert.match(log[0] ?? '', /no interface of this node is cali\+/);
    // Pods come and go: when the last has gone again it is worth a word again.
    interfaceNames.push('cali1');
    interfaces.look([]);
    interfaceNames.pop();
    interfaces.look([]);
    assert.equal(log.length, 2);
  });

  it('may name more than one node has', () => {
    const { watch: interfaces, log } = watch('cali+,weave', ['weave']);
    interfaces.look([]);
    assert.deepEqual(log, []);
  });

  it('is said to exclude what is not there', () => {
    const { watch: interfaces, log } = watch('!eth0', ['lo', 'ens5']);
    interfaces.look([]);
    assert.match(log[0] ?? '', /no interface of this node is eth0.*from outside the node/);
  });

  it('names a bounded number of interfaces', () => {
    const { watch: interfaces, log } = watch('eth0', ['eth0']);
    interfaces.look(Array.from({ length: 60 }, (_, index) => `eni${index}`));
    assert.match(log[0] ?? '', /… \(60\)/);
  });
});
