// The agent's own process on the node: what it does to the host first and last.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { mainScript } from '../end-to-end/podpass-process.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { writeTlsFiles } from '../end-to-end/tls-files.ts';
import { needs } from '../parts/availability.ts';
import { partPath } from '../parts/catalogue.ts';
import { startProcess } from '../parts/process.ts';
import { stopWith } from '../parts/scope.ts';
import { createFirewallBench, type FirewallBench } from './firewall-bench.ts';
import { metadataIpv4, metadataIpv6, nodeIpv4 } from './topology.ts';

const bound = { timeout: 120_000 };
/** Of the real agent: a stand-in has the other one. */
const port = 8383;
const flags = [`--host=${nodeIpv4}`, `--port=${port}`, '--iptables', '--host-interface=cali+'];

describe('podpass agent --iptables', needs('netns', 'nft'), () => {
  const scope = suiteScope();
  let bench: FirewallBench;
  let tls: readonly string[];

  before(async () => {
    bench = await createFirewallBench(scope, { wiring: 'routed', pods: 1 });
    const folder = mkdtempSync(join(tmpdir(), 'podpass-firewall-'));
    stopWith(scope, async () => rmSync(folder, { recursive: true, force: true }));
    tls = (await writeTlsFiles(folder)).agent;
  }, bound);

  const command = (given: readonly string[]) => [process.execPath, mainScript, 'agent', ...given];
  const inNode = (words: readonly string[]) => ['netns', 'exec', bench.topology.node, ...words];
  const answer = (host: string) => bench.pods[0]?.call(host, 80, 2_000);

  /** Runs the agent until it has said `text`, and ends it. Resolves to its log. */
  async function runUntil(text: string, given: readonly string[]): Promise<string> {
    let said = false;
    const agent = startProcess({
      title: 'the agent',
      file: partPath('ip'),
      args: inNode(command([...flags, ...tls, ...given])),
      onLine: (line) => {
        said ||= line.includes(text);
      },
    });
    await agent.untilReady(async () => said, 20_000, scope.signal);
    await agent.stop('SIGTERM', 10_000);
    return agent.log();
  }

  it('ends with status 1 and what to do, where it has no right to install the rule', bound, () => {
    const nothing = ['setpriv', '--inh-caps=-all', '--bounding-set=-all'];
    const { status, stderr } = spawnSync(
      partPath('ip'),
      inNode([...nothing, ...command([...flags, ...tls])]),
      { encoding: 'utf8', timeout: 20_000 },
    );
    assert.equal(status, 1);
    assert.match(
      stderr,
      /podpass: error: the rule .* cannot be installed \(.*give the container the capability NET_ADMIN/,
    );
    assert.doesNotMatch(stderr, /listening/);
  });

  it('installs it before anything else can fail', bound, async () => {
    assert.match((await answer(metadataIpv4)) ?? '', /^EC2/);
    const missing = ['--cert=/nowhere.pem', '--key=/nowhere.pem', '--ca=/nowhere.pem'];
    const { status, stderr } = spawnSync(partPath('ip'), inNode(command([...flags, ...missing])), {
      encoding: 'utf8',
      timeout: 20_000,
    });
    assert.equal(status, 1);
    assert.match(stderr, /nowhere\.pem/);
    for (const host of [metadataIpv4, metadataIpv6]) assert.doesNotMatch((await answer(host)) ?? '', /EC2/);
  });

  it('leaves the rule when it ends', bound, async () => {
    const log = await runUntil('listening', []);
    assert.match(log, /configuring iptables.*the rule is installed.*listening/s);
    for (const host of [metadataIpv4, metadataIpv6]) assert.doesNotMatch((await answer(host)) ?? '', /EC2/);
  });

  it('takes it away when it is told to', bound, async () => {
    const log = await runUntil('listening', ['--iptables-remove']);
    assert.match(log, /undoing iptables changes.*iptables rule was successfully removed.*stopped/s);
    for (const host of [metadataIpv4, metadataIpv6]) assert.match((await answer(host)) ?? '', /^EC2/);
  });

  it('changes nothing without the flag, and needs no right', bound, async () => {
    const log = await runUntil('listening', ['--no-iptables']);
    assert.doesNotMatch(log, /configuring iptables/);
    assert.match((await answer(metadataIpv4)) ?? '', /^EC2/);
  });
});
