// No pod reaches the metadata of its node, whatever it sends and whatever happens to the agent or to its rule. The
// proof is what arrives at EC2: packets of the agent alone, and requests that the agent was told to allow.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../end-to-end/eventually.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { partPath } from '../parts/catalogue.ts';
import { nodeRole } from './metadata-worker.ts';
import { runIn } from './namespaces.ts';
import { agentPort, type Node, startNode } from './node.ts';
import type { NamespacedPodpass } from './podpass-in-namespace.ts';
import { metadataIpv4, metadataIpv6, nodeIpv4 } from './topology.ts';
import type { NodePod } from './world.ts';

const bound = { timeout: 120_000 };
const tree = '/latest/meta-data/iam/security-credentials/';
const own = `${tree}${nodeRole}`;

/** Ways to write what must not be had. */
const targets: readonly string[] = [
  own,
  ...['2009-04-04', '1.0', '2021-07-15', 'LATEST', 'latest%2f', '%6catest'].map((version) =>
    own.replace('latest', version),
  ),
  `/${own}`,
  own.replaceAll('/', '//'),
  own.replaceAll('/', '/./'),
  own.replace('/iam', '/x/../iam'),
  own.replace('/iam', '/x/%2e%2e/iam'),
  own.replace('/iam', '/x%2f..%2fiam'),
  own.replace('/iam', '/%69am'),
  own.replace('/iam', '/%2569am'),
  own.replace('/iam', '/iam;a=b'),
  own.replace('/iam', '\\iam'),
  own.replaceAll('/', '%2f').replace('%2f', '/'),
  own.replaceAll('/', '%252f').replace('%252f', '/'),
  own.replace('security-credentials', 'security-credentials%0a'),
  own.replace('security-credentials', 'security-credentials%00'),
  own.replace('security-credentials', 'security-credentials%20'),
  own.replace('security-credentials', 'SECURITY-CREDENTIALS'),
  own.replace('security-credentials', 'security-credentials-extended'),
  own.replace('iam/security-credentials', 'identity-credentials/ec2/security-credentials'),
  `${own}?a=b`,
  `${own}#a`,
  `http://${metadataIpv4}${own}`,
  `http://${metadataIpv4}:80${own}`,
  `http://[${metadataIpv6}]${own}`,
  `http://pod@${metadataIpv4}${own}`,
  `HTTP://instance-data.ec2.internal${own}`,
  `https://${metadataIpv4}${own}`,
  `//${metadataIpv4}${own}`,
  '*',
];

const get = (target: string, headers = `Host: ${metadataIpv4}`) =>
  `GET ${target} HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`;

/** Requests that are odd in another way. */
const requests: Readonly<Record<string, readonly string[]>> = {
  'another Host': [get(own, 'Host: instance-data'), get(own, `Host: ${metadataIpv4}:80`), get(own, 'Host: ')],
  'two Hosts': [get(own, `Host: ${metadataIpv4}\r\nHost: 127.0.0.1`)],
  'headers of proxies': [
    get(
      own,
      `Host: ${metadataIpv4}\r\nX-Forwarded-For: ${nodeIpv4}\r\nX-Forwarded-Host: a\r\nForwarded: for=127.0.0.1`,
    ),
    get(own, `Host: ${metadataIpv4}\r\nX-Original-URL: ${own}\r\nX-Rewrite-URL: ${own}`),
  ],
  'other methods': ['POST', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'].map((method) =>
    get(own).replace('GET', method),
  ),
  'a tunnel': [
    `CONNECT ${metadataIpv4}:80 HTTP/1.1\r\nHost: ${metadataIpv4}:80\r\n\r\n${get(own)}`,
    `GET / HTTP/1.1\r\nHost: ${metadataIpv4}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n${get(own)}`,
  ],
  'a request within a request': [
    `PUT /latest/api/token HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${get(own)}`,
    `GET /latest/meta-data/ami-id HTTP/1.1\r\nHost: ${metadataIpv4}\r\nContent-Length: 3\r\n\r\nabc${get(own)}`,
  ],
  'an older protocol': [`GET ${own}\r\n\r\n`, `GET ${own} HTTP/1.0\r\n\r\n`],
};

describe('the metadata of the node', needs('netns', 'nft'), () => {
  const scope = suiteScope();
  let node: Node;
  let pod: NodePod;
  let agent: NamespacedPodpass;

  before(async () => {
    node = await startNode(scope, { pods: 1 });
    const [first] = node.pods;
    assert.ok(first);
    pod = first;
    // So that this suite can fail: before the rule all is open, also through a connection that is kept.
    assert.ok((await pod.worker.hold(metadataIpv4, getKept(tree))).includes(nodeRole));
    assert.deepEqual(await pod.worker.ask({ host: metadataIpv6, path: tree }), {
      kind: 'answered',
      status: 200,
      body: nodeRole,
    });
    // The widest that an operator can allow.
    const flags = ['--allow-route-regexp=.*', '--firewall-check-interval=1s'];
    agent = await node.startAgent({ flags });
    assert.equal(
      await pod.worker.askHeld(getKept(tree), 500),
      '',
      'a connection from before the rule goes on',
    );
    node.wiretap.forget();
  }, bound);

  beforeEach(() => node.wiretap.forget());

  /** What arrived at EC2 since the test began. */
  async function assertNothingLeaked(): Promise<void> {
    for (const source of node.wiretap.sources()) assert.equal(source, nodeIpv4);
    for (const { path, from } of (await node.ec2.requests()).slice(alreadyThere)) {
      assert.equal(from, nodeIpv4);
      assert.doesNotMatch(path, /iam|credential/i);
    }
  }
  // The two requests before the rule.
  const alreadyThere = 2;

  for (const host of [metadataIpv4, metadataIpv6]) {
    it(`is not had by any spelling of its path, at ${host}`, bound, async () => {
      for (const target of targets) {
        const said = await pod.worker.say({ host, pieces: [get(target)] });
        assert.match(said, /^HTTP\/1\.1 (?:4|5)\d\d /, target);
        assert.doesNotMatch(said, /AccessKeyId|InstanceProfileArn/, target);
      }
      await assertNothingLeaked();
    });
  }

  for (const [title, texts] of Object.entries(requests)) {
    it(`is not had by ${title}`, bound, async () => {
      for (const text of texts) {
        const said = await pod.worker.say({ host: metadataIpv4, pieces: [text], boundMillis: 1_500 });
        assert.doesNotMatch(said, /AccessKeyId|InstanceProfileArn/, text);
      }
      await assertNothingLeaked();
    });
  }

  it('is not had by requests in small pieces', bound, async () => {
    const said = await pod.worker.say({ host: metadataIpv4, pieces: [...get(own)], pauseMillis: 2 });
    assert.match(said, /^HTTP\/1\.1 404 /);
    await assertNothingLeaked();
  });

  it('is not had at other ports, nor through the address of the agent', bound, async () => {
    for (const port of [81, 443, 8080, agentPort]) {
      const answer = await pod.worker.ask({ host: metadataIpv4, port, path: own, boundMillis: 300 });
      assert.equal(answer.kind, 'failed', JSON.stringify(answer));
    }
    const said = await pod.worker.say({ host: nodeIpv4, port: agentPort, pieces: [get(own)] });
    assert.match(said, /^HTTP\/1\.1 404 /);
    await assertNothingLeaked();
  });

  it('is read by the agent where that is allowed, and asked for by the agent alone', bound, async () => {
    const answer = await pod.worker.ask({ host: metadataIpv4, path: '/latest/meta-data/ami-id' });
    assert.deepEqual(answer, { kind: 'answered', status: 200, body: 'ami-0abcdef1234567890' });
    assert.deepEqual(node.wiretap.sources(), [nodeIpv4]);
    await assertNothingLeaked();
  });

  it(
    'is not had while all rules are flushed, again and again, and the agent repairs them',
    bound,
    async () => {
      await pod.worker.startLoad({
        host: metadataIpv4,
        role: pod.role,
        fresh: 4,
        kept: 2,
        boundMillis: 1_000,
      });
      for (let round = 0; round < 4; round++) {
        await wait(250);
        runIn(node.topology.node, partPath('nft'), ['flush', 'ruleset']);
      }
      await eventually(async () => {
        const answer = await pod.worker.ask({ host: metadataIpv4, path: tree, boundMillis: 2_000 });
        assert.deepEqual(answer, { kind: 'answered', status: 200, body: pod.role });
      });
      await pod.worker.untilAnswered(10);
      const { wrong } = await pod.worker.stopLoad();
      assert.deepEqual(wrong, []);
      await assertNothingLeaked();
    },
  );

  it('is not had while there is no agent', bound, async () => {
    await agent.terminate();
    for (const host of [metadataIpv4, metadataIpv6]) {
      const answer = await pod.worker.ask({ host, path: tree, boundMillis: 500 });
      assert.equal(answer.kind, 'failed', JSON.stringify(answer));
    }
    runIn(node.topology.node, partPath('nft'), ['flush', 'ruleset']);
    for (const host of [metadataIpv4, metadataIpv6]) {
      const answer = await pod.worker.ask({ host, path: tree, boundMillis: 500 });
      assert.equal(answer.kind, 'failed', JSON.stringify(answer));
    }
    await assertNothingLeaked();
  });
});

function getKept(target: string): string {
  return get(target).replace('Connection: close', 'Connection: keep-alive');
}
