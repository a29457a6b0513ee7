import { splitTarget } from '../../../src/metadata/request-target.ts';
import { routeOf } from '../../../src/metadata/route.ts';
import { textOf } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';
import { isNearCredentials, readings } from '../lib/readings.ts';
import { referenceClean } from '../lib/reference-clean.ts';

/** Which paths may leave for the real metadata service: none that anything behind podpass could read as one to secrets. */
export const target: FuzzTarget = {
  name: 'route',
  about: 'request targets: what they ask for, and that no spelling of the credential trees is ever passed on',
  maxBytes: 600,
  seeds: [
    '/latest/meta-data/iam/security-credentials/',
    '/latest/meta-data/iam/security-credentials/reader',
    '/2009-04-04/meta-data/iam/security-credentials/arn:aws:iam::123456789012:role/team/reader',
    '/latest/meta-data/iam/security%2dcredentials/../../ami-id',
    'http://169.254.169.254/latest/meta-data/instance-id?ip=10.0.0.1',
    '/latest/api/token',
    '/latest//meta-data/./placement/availability-zone/',
    '/latest/meta-data/identity-credentials/ec2/info',
    '/ping',
    '/healthz',
  ],
  dictionary: [
    'security-credentials',
    'identity-credentials',
    'api/token',
    '..%2f',
    '%2e%2e',
    '%c0%af',
    '%ef%bc%8f',
    '/../',
  ],
  open: () => ({
    run(input) {
      // As Node hands it over: each byte is a character.
      for (const text of [textOf(input), Buffer.from(input).toString('latin1')]) check(text);
    },
  }),
};

function check(text: string): void {
  const route = routeOf(text);
  if (route.kind === 'bad-request') return;
  const path = splitTarget(text)?.path;
  holds(path !== undefined, 'a target that is neither path nor URL was taken');
  const clean = referenceClean(path);
  holds(clean !== undefined, 'a path was taken that the reference cannot read');
  switch (route.kind) {
    case 'other':
      holds(/^\/[\w+=,.:@/-]*$/.test(route.path), `passes on ${JSON.stringify(route.path)}`);
      holds(route.path === clean, `passes on ${route.path}, and the reference reads ${clean}`);
      for (const reading of readings(route.path)) {
        holds(!isNearCredentials(reading), `passes on ${route.path}, which can be read as ${reading}`);
      }
      // What is judged and what is sent have to stay the same when they are judged again.
      holds(sameRoute(routeOf(route.path), route), `${route.path} means something else the second time`);
      return;
    case 'token':
      holds(/^\/[^/]+\/api\/token\/?$/.test(clean), `${clean} is taken for the path of tokens`);
      return;
    case 'list':
    case 'credentials': {
      const tree = `/${route.version}/meta-data/iam/security-credentials`;
      const rest = route.kind === 'list' ? '' : `/${route.role}`;
      holds(clean.replace(/\/$/, '') === tree + rest, `${clean} is taken for ${tree + rest}`);
      return;
    }
    case 'ping':
    case 'health':
    case 'healthz':
      holds(clean === `/${route.kind}`, `${clean} is taken for /${route.kind}`);
      return;
    case 'forbidden-tree':
      // Refusing too much is a defect, too: no path of EC2's that is not near a tree.
      holds(
        isNearCredentials(clean.replaceAll(/[^a-z]/gi, '')),
        `${clean} is refused as a tree of credentials`,
      );
      return;
  }
}

function sameRoute(a: ReturnType<typeof routeOf>, b: ReturnType<typeof routeOf>): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
