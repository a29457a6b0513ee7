// What namespaces permit, in both vocabularies and in both shapes: agent and server, and all in one process.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { freePorts } from '../parts/free-ports.ts';
import { annotateNamespace, permittedKey, roleKey } from './annotate.ts';
import { callerAt, type PodCaller } from './ask-agent.ts';
import { eventually } from './eventually.ts';
import { createHarness } from './harness.ts';
import { type PodpassProcess, startPodpass } from './podpass-process.ts';
import { region, roleBaseArn, type SmallAws, startSmallAws, whoIs } from './small-aws.ts';
import { type SmallCluster, startSmallCluster } from './small-cluster.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 60_000 };
const nodeName = 'node-1';
const allowedKey = 'example.com/roles';
/** Both commands take them. */
const flags = [
  `--namespace-key=${allowedKey}`,
  '--namespace-restriction-format=regexp',
  '--session-name-format=kube2iam',
];
const [first, second, writer, team, plain] = [
  '127.97.0.1',
  '127.97.0.2',
  '127.97.0.3',
  '127.97.0.4',
  '127.97.0.5',
] as const;

for (const mode of ['server', 'standalone'] as const) {
  describe(`rules of namespaces, podpass ${mode}`, () => {
    const scope = suiteScope();
    let aws: SmallAws;
    let cluster: SmallCluster;
    let pods: PodCaller;

    before(async () => {
      const harness = await createHarness(scope);
      aws = await startSmallAws(scope, ['reader', 'writer', 'team/reader', 'plain']);
      cluster = await startSmallCluster(scope, harness);
      await cluster.createNamespace('team', {
        [allowedKey]: String.raw`["read.r", "^arn:aws:iam::\\d{12}:role/team/.*$"]`,
      });
      for (const [podIP, role] of [
        [first, 'reader'],
        [second, 'reader'],
        [writer, 'writer'],
        [team, 'team/reader'],
        [plain, undefined],
      ] as const) {
        await cluster.createPod({
          name: `pod-${podIP.replaceAll('.', '-')}`,
          namespace: 'team',
          annotations: role === undefined ? {} : { [roleKey]: role },
          nodeName,
          podIP,
          hostIP: '127.0.0.1',
        });
      }
      const { kubeconfig } = cluster;
      if (mode === 'server') {
        const server = await harness.startServer({ kubeconfig, stsUrl: aws.url, env: aws.serverEnv, flags });
        const agent = await harness.startAgent({ nodeName, serverPorts: [server.port] });
        await agent.untilReady();
        pods = agent;
      } else {
        const [port = 0] = await freePorts(1);
        const node = await startStandalone(port, kubeconfig);
        await node.untilReady();
        pods = callerAt(port);
      }
    }, bound);

    function startStandalone(port: number, kubeconfig: string): Promise<PodpassProcess> {
      return startPodpass({
        scope,
        command: 'standalone',
        flags: [
          `--kubeconfig=${kubeconfig}`,
          `--node=${nodeName}`,
          '--listen-host=127.0.0.1',
          `--app-port=${port}`,
          `--base-role-arn=${roleBaseArn}`,
          '--namespace-restrictions=true',
          '--default-role=plain',
          '--default-role-bypasses-restrictions=true',
          `--region=${region}`,
          `--sts-endpoint=${aws.url}`,
          // Nobody answers there: the real one must never be asked.
          '--metadata-addr=127.0.0.1:9',
          ...flags,
        ],
        env: aws.serverEnv,
      });
    }

    /** The session by the word of STS, `reader/74445065-reader`, or the status. */
    async function sessionAt(address: string): Promise<string> {
      const { status, credentials } = await pods.ask(address);
      if (!credentials) return String(status);
      return (await whoIs(aws.url, credentials)).split(':assumed-role/')[1] ?? '';
    }

    async function roleAt(address: string): Promise<string> {
      return (await sessionAt(address)).split('/')[0] ?? '';
    }

    async function areServed(expected: readonly (readonly [address: string, role: string])[]): Promise<void> {
      await eventually(async () => {
        const found = await Promise.all(expected.map(async ([address]) => [address, await roleAt(address)]));
        assert.deepEqual(found, expected);
      });
    }

    /** What the namespace's own people read of its rule. */
    async function rulesRefused() {
      const { items } = await cluster.must('GET', '/api/v1/namespaces/team/events');
      const events = items as { reason: string; message: string; involvedObject: Record<string, string> }[];
      return events.filter(({ reason }) => reason === 'PodpassNamespaceRuleInvalid');
    }

    it("reads kube2iam's list as it is told to", bound, async () => {
      await areServed([
        [first, 'reader'],
        [team, 'reader'],
        [writer, '403'],
      ]);
      assert.match((await pods.ask(writer)).body, /annotation example\.com\/roles of namespace team is /);
      assert.equal(aws.called('writer'), 0);
    });

    it('names each session by the address of its pod', bound, async () => {
      const [one, other] = [await sessionAt(first), await sessionAt(second)];
      for (const session of [one, other]) assert.match(session, /^reader\/[0-9a-f]{1,8}-reader$/);
      assert.notEqual(one, other);
    });

    it('lets the stricter of two rules win', bound, async () => {
      await annotateNamespace(cluster, 'team', { [permittedKey]: '.*/team/.*|.*/writer' });
      await areServed([
        [first, '403'],
        [writer, '403'],
        [team, 'reader'],
      ]);
      await annotateNamespace(cluster, 'team', { [permittedKey]: null });
      await areServed([[first, 'reader']]);
    });

    it(
      'permits nothing by a list that it cannot read, and says so once on the namespace',
      bound,
      async () => {
        assert.deepEqual(await rulesRefused(), []);
        await annotateNamespace(cluster, 'team', { [allowedKey]: '["read.r", null]' });
        await areServed([first, second, writer, team].map((address) => [address, '403']));
        const [event, ...others] = await eventually(async () => {
          const events = await rulesRefused();
          assert.ok(events.length > 0);
          return events;
        });
        assert.deepEqual(others, []);
        assert.match(event?.message ?? '', /entry 2 of the list is not a text/);
        const { kind, name, uid } = event?.involvedObject ?? {};
        const { metadata } = await cluster.must('GET', '/api/v1/namespaces/team');
        assert.deepEqual([kind, name, uid], ['Namespace', 'team', (metadata as { uid: string }).uid]);
      },
    );

    it('gives a pod that names no role the default role, if there is one', bound, async () => {
      // Which may be had here whatever the namespace says.
      await areServed([[plain, mode === 'standalone' ? 'plain' : '404']]);
    });

    it('serves again once the list is mended', bound, async () => {
      await annotateNamespace(cluster, 'team', { [allowedKey]: '["reader", "reader", "writer"]' });
      await areServed([
        [first, 'reader'],
        [writer, 'writer'],
        [team, '403'],
      ]);
    });
  });
}
