import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { buildClient } from './build-client.ts';
import { startClient } from './client-process.ts';
import { findClients, ownClients } from './find-clients.ts';

const manifest = {
  title: 'mine',
  sdk: 'mine 1.0',
  needs: ['sh'],
  install: 'a shell',
  build: [['cp', 'client.sh', '{out}/client.sh']],
  run: ['sh', '{out}/client.sh'],
  refresh: { servedWith: 40, after: 40 },
};
const program = `echo '{"sdk":"mine 1.0"}'
while read -r line; do echo '{"arn":"arn:aws:sts::123456789012:assumed-role/'$line'/x"}'; done
`;

describe('clients', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podpass-clients-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function addClient(name: string, changes: object = {}): string {
    const dir = join(folder, name);
    mkdirSync(dir);
    writeFileSync(join(dir, 'client.json'), JSON.stringify({ ...manifest, ...changes }));
    writeFileSync(join(dir, 'client.sh'), program);
    return dir;
  }

  it('are the folders with a manifest, beside those of the project', () => {
    addClient('mine');
    mkdirSync(join(folder, 'no-client'));
    const own = findClients([ownClients]).map(({ name }) => name);
    const all = findClients([ownClients, folder]).map(({ name }) => name);
    assert.deepEqual(all, [...own, 'mine'].sort());
  });

  it('are seven in the project, each pinned to a version', () => {
    const clients = findClients([ownClients]);
    const names = ['aws-cli', 'aws-sdk-js', 'boto3', 'boto3-1.26', 'go-v2', 'java-v2', 'rust'];
    assert.deepEqual(
      clients.map(({ name }) => name),
      names,
    );
    for (const client of clients) assert.match(client.manifest.sdk, /^\S+ \d+\.\d+\.\d+$/);
  });

  it('are built and run by what their manifest says', async (t) => {
    addClient('mine');
    const [client] = findClients([folder]);
    assert.ok(client);
    const into = join(folder, 'built');
    const built = await buildClient(client, t.signal, into);
    assert.ok(built.kind === 'built');
    const running = await startClient({
      command: built.command,
      env: { PATH: process.env.PATH ?? '' },
      callBound: 5_000,
    });
    try {
      assert.equal(running.sdk, client.manifest.sdk);
      const arn = 'arn:aws:sts::123456789012:assumed-role/new/x';
      assert.deepEqual(await running.call('new'), { kind: 'identity', arn });
    } finally {
      await running.stop();
    }
    const again = await buildClient(client, t.signal, into);
    assert.deepEqual(again, { ...built, millis: 0 });
  });

  it('are built anew when one of their files changes', () => {
    const dir = addClient('mine');
    const [before] = findClients([folder]);
    writeFileSync(join(dir, 'client.sh'), `${program}\n`);
    const [after] = findClients([folder]);
    assert.notEqual(after?.fingerprint, before?.fingerprint);
  });

  it('are not built anew when their manifest says something else', () => {
    const dir = addClient('mine');
    const [before] = findClients([folder]);
    const refresh = { servedWith: 80, after: 40 };
    writeFileSync(join(dir, 'client.json'), JSON.stringify({ ...manifest, refresh }));
    const [after] = findClients([folder]);
    assert.deepEqual(after?.manifest.refresh, refresh);
    assert.equal(after?.fingerprint, before?.fingerprint);
  });

  it('are not changed by what tools leave in their folders', () => {
    const dir = addClient('mine');
    const [before] = findClients([folder]);
    mkdirSync(join(dir, '__pycache__'));
    writeFileSync(join(dir, '__pycache__', 'x.pyc'), '');
    assert.equal(findClients([folder])[0]?.fingerprint, before?.fingerprint);
  });

  it('that lack a tool are missing, with what to install', async (t) => {
    addClient('mine', { needs: ['podpass-no-such-tool'], install: 'such a tool' });
    const [client] = findClients([folder]);
    assert.ok(client);
    const built = await buildClient(client, t.signal, join(folder, 'built'));
    assert.deepEqual(built, {
      kind: 'missing',
      reason: 'podpass-no-such-tool not on the PATH: install such a tool',
    });
  });

  it('that do not build say why', async (t) => {
    addClient('mine', { build: [['sh', '-c', 'echo no such module; exit 3']] });
    const [client] = findClients([folder]);
    assert.ok(client);
    const building = buildClient(client, t.signal, join(folder, 'built'));
    await assert.rejects(building, /status 3:\s+no such module/);
  });

  const refused: readonly (readonly [what: string, make: () => void, said: RegExp])[] = [
    ['a folder without any', () => mkdirSync(join(folder, 'x')), /no folder in it has a client.json/],
    ['a name that no role can have', () => void addClient('Mine!'), /small letters/],
    ['a manifest that is wrong', () => void addClient('mine', { run: 'x' }), /mine\/client.json: "run"/],
  ];
  for (const [what, make, said] of refused)
    it(`are refused: ${what}`, () => {
      make();
      assert.throws(() => findClients([folder]), said);
    });

  it('are refused: a name that the project has', () => {
    addClient('go-v2');
    assert.throws(() => findClients([ownClients, folder]), /another client of the name go-v2/);
  });
});
