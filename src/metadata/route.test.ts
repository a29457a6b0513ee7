import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { longestTarget, type Route, routeOf } from './route.ts';

const tree = '/latest/meta-data/iam/security-credentials';

function credentials(role: string, version = 'latest'): Route {
  return { kind: 'credentials', version, role };
}

describe('routeOf', () => {
  const routes: [string, Route][] = [
    [tree, { kind: 'list', version: 'latest' }],
    [`${tree}/`, { kind: 'list', version: 'latest' }],
    [`${tree}//`, { kind: 'list', version: 'latest' }],
    [`${tree}?x=/y`, { kind: 'list', version: 'latest' }],
    [`${tree}/reader/..`, { kind: 'list', version: 'latest' }],
    ['/2009-04-04/meta-data/iam/security-credentials/', { kind: 'list', version: '2009-04-04' }],
    ['/1.0/meta-data/iam/security-credentials', { kind: 'list', version: '1.0' }],
    [`http://169.254.169.254${tree}/`, { kind: 'list', version: 'latest' }],
    [`HTTP://169.254.169.254:80${tree}`, { kind: 'list', version: 'latest' }],
    [`//latest//meta-data/./iam/x/../security-credentials`, { kind: 'list', version: 'latest' }],
    ['/latest/meta-data/iam/security%2Dcredentials', { kind: 'list', version: 'latest' }],
    [`${tree}/reader`, credentials('reader')],
    [`${tree}/reader/`, credentials('reader')],
    [`${tree}//team/reader`, credentials('team/reader')],
    [`${tree}/%2Fteam%2freader`, credentials('team/reader')],
    [
      `${tree}/arn:aws:iam::123456789012:role/team/reader`,
      credentials('arn:aws:iam::123456789012:role/team/reader'),
    ],
    [
      `${tree}/arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freader`,
      credentials('arn:aws:iam::123456789012:role/reader'),
    ],
    [`${tree}/a+b=c,d.e@f-g_h`, credentials('a+b=c,d.e@f-g_h')],
    // Encoded twice is not decoded twice: this asks for a role with a percent sign in its name, which nobody has.
    [`${tree}/a%2561`, credentials('a%61')],
    ['/latest/api/token', { kind: 'token' }],
    ['/latest/api/token/', { kind: 'token' }],
    ['/2021-07-15/api/token', { kind: 'token' }],
    ['/latest/%61pi/token', { kind: 'token' }],
    ['/ping', { kind: 'ping' }],
    ['/health', { kind: 'health' }],
    ['/health?deep=1', { kind: 'health' }],
    ['/healthz', { kind: 'healthz' }],
    ['/ping/', { kind: 'other', path: '/ping/' }],
    ['/', { kind: 'other', path: '/' }],
    ['http://169.254.169.254', { kind: 'other', path: '/' }],
    ['http://169.254.169.254?a=b', { kind: 'other', path: '/' }],
    ['/latest/meta-data/placement/region', { kind: 'other', path: '/latest/meta-data/placement/region' }],
    ['/latest/meta-data/', { kind: 'other', path: '/latest/meta-data/' }],
    ['/latest/meta-data/.', { kind: 'other', path: '/latest/meta-data/' }],
    ['/latest/meta-data/x/..', { kind: 'other', path: '/latest/meta-data/' }],
    ['/../../etc', { kind: 'other', path: '/etc' }],
    ['/latest/user%2Ddata?q=1', { kind: 'other', path: '/latest/user-data' }],
    ['/latest/meta-data/iam/info', { kind: 'other', path: '/latest/meta-data/iam/info' }],
    [
      '/latest/meta-data/network/interfaces/macs/0a:ff:00:11:22:33/vpc-id',
      { kind: 'other', path: '/latest/meta-data/network/interfaces/macs/0a:ff:00:11:22:33/vpc-id' },
    ],
  ];
  for (const [target, route] of routes) {
    it(`reads ${target}`, () => assert.deepEqual(routeOf(target), route));
  }

  const guarded = [
    '/latest/meta-data/iam/security-credentials-extended',
    '/latest/meta-data/iam/security-credentials-extended/reader',
    '/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance',
    '/latest/meta-data/identity-credentials/ec2/info',
    '/latest/META-DATA/iam/security-credentials/reader',
    '/latest/meta-data/IAM/Security-Credentials/reader',
    '/latest/meta-data/iam/%53ecurity-credentials/reader',
    '/meta-data/iam/security-credentials/reader',
    '/x/latest/meta-data/iam/security-credentials/reader',
    '/latest/meta-data/iam/security-credentials;x=1/reader',
    '/latest/meta-data/iam/security-credentials.json',
    '/latest/API/token',
    '/latest/api/token/more',
    '/x/latest/api/token',
    '/api/token',
    '/latest/api/tokens',
  ];
  for (const target of guarded) {
    it(`keeps ${target} from the upstream`, () =>
      assert.deepEqual(routeOf(target), { kind: 'forbidden-tree' }));
  }

  const bad = [
    ['*', /neither/],
    ['', /neither/],
    ['169.254.169.254:80', /neither/],
    ['https://169.254.169.254/latest', /neither/],
    ['http://user@169.254.169.254/latest', /neither/],
    ['http:///latest', /neither/],
    ['/latest#x', /neither/],
    ['/latest/%', /percent-encoded/],
    ['/latest/%zz', /percent-encoded/],
    ['/latest/%ff', /percent-encoded/],
    // "/" and "." in more bytes than they need.
    ['/latest/%c0%af', /percent-encoded/],
    ['/%c0%ae%c0%ae/latest', /percent-encoded/],
    [`${tree}/reader%0a`, /character/],
    [`${tree}/reader%00`, /character/],
    [`${tree}/reader%0d%0aHost:x`, /character/],
    [`${tree}/reader%7f`, /character/],
    [`${tree}/rea%20der`, /character/],
    ['/latest/meta-data/tags/%C3%A9', /character/],
    // Kelvin sign and long s, which some take for k and s.
    ['/latest/meta-data/iam/%C5%BFecurity-credentials', /character/],
    ['/latest\\meta-data', /character/],
    ['/latest/%5cmeta-data', /character/],
    ['/latest/meta-data/%2561mi-id', /character/],
    ['/latest/meta-data;v=1/ami-id', /character/],
    ['/latest/\u00e9', /character/],
    [`/${'a'.repeat(longestTarget)}`, /too long/],
  ] as const;
  for (const [target, why] of bad) {
    it(`refuses ${JSON.stringify(target.slice(0, 60))}`, () => {
      const route = routeOf(target);
      assert.equal(route.kind, 'bad-request');
      assert.match(route.kind === 'bad-request' ? route.why : '', why);
    });
  }

  it('takes the longest target there may be', () => {
    const target = `/${'a'.repeat(longestTarget - 1)}`;
    assert.deepEqual(routeOf(target), { kind: 'other', path: target });
  });
});

describe('routeOf, for any target', () => {
  /** Writes some of the characters percent-encoded and some in the other case, as an attacker would. */
  const disguised = (text: string) =>
    fc
      .array(fc.constantFrom('as is', 'encoded', 'ENCODED', 'other case'), {
        minLength: text.length,
        maxLength: text.length,
      })
      .map((ways) => [...text].map((char, i) => disguise(char, ways[i] ?? 'as is')).join(''));

  function disguise(char: string, way: string): string {
    const hex = char.charCodeAt(0).toString(16).padStart(2, '0');
    if (way === 'encoded') return `%${hex}`;
    if (way === 'ENCODED') return `%${hex.toUpperCase()}`;
    if (way === 'other case') return char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase();
    return char;
  }

  const noise = fc.constantFrom('', '/', './', 'x/../', '%2e/', '%2F', 'a/b/..%2f../');
  const guardedTree = fc.constantFrom(
    'meta-data/iam/security-credentials',
    'meta-data/iam/security-credentials-extended',
    'meta-data/identity-credentials/ec2/security-credentials',
    'meta-data/identity-credentials',
    'api/token',
  );
  const tail = fc.constantFrom(
    '',
    '/',
    '/reader',
    '//x',
    '/reader/',
    '%0a',
    '/%0areader',
    '?q',
    '/..%2freader',
  );
  const pieces = fc.constantFrom(
    'latest',
    'meta-data',
    'iam',
    'security-credentials',
    'api',
    'token',
    'a',
    '.',
    '..',
    '',
    '%2e',
    '%2f',
    '%',
    '%25',
    '%2561',
    ';',
    'é',
    '\u0000',
    ' ',
    'ping',
    'user-data',
    '-extended',
    ':',
    '@',
  );
  const anyTarget = fc.oneof(
    fc.array(pieces, { maxLength: 10 }).map((parts) => `/${parts.join('/')}`),
    fc.string({ unit: 'binary', maxLength: 60 }).map((text) => `/${text}`),
    fc.webUrl({ withQueryParameters: true }),
    fc.string({ maxLength: 40 }),
  );

  it('never lets a path inside a guarded tree go upstream, however it is written', () => {
    const targets = guardedTree.chain((path) =>
      fc
        .tuple(noise, disguised(path), noise, tail)
        .map(([a, text, b, c]) => `/latest/${a}${text}${b === '' ? '' : '/'}${b}${c}`),
    );
    fc.assert(
      fc.property(targets, (target) => {
        const route = routeOf(target);
        // A tail may climb out of the tree again; what is then named must be outside of it.
        if (route.kind === 'other') assert.doesNotMatch(route.path, /credentials|token/i);
      }),
      { numRuns: 2_000 },
    );
  });

  it('sends nothing upstream that an upstream could read in another way', () => {
    fc.assert(
      fc.property(anyTarget, (target) => {
        const route = routeOf(target);
        if (route.kind !== 'other') return;
        assert.match(route.path, /^\/[\w+=,.:@/-]*$/);
        assert.doesNotMatch(route.path, /\/\/|\/\.\.?(\/|$)/);
        assert.doesNotMatch(route.path, /security-credentials|identity-credentials|\/api\/token/i);
      }),
      { numRuns: 2_000 },
    );
  });

  it('cleans once: a path that came out of it stays as it is', () => {
    fc.assert(
      fc.property(anyTarget, (target) => {
        const route = routeOf(target);
        if (route.kind === 'other') assert.deepEqual(routeOf(route.path), route);
        if (
          route.kind === 'credentials' &&
          !route.role.includes('%') &&
          !/[?#]/.test(route.role + route.version)
        ) {
          assert.deepEqual(
            routeOf(`/${route.version}/meta-data/iam/security-credentials/${route.role}`),
            route,
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('always answers, and names a role without slashes at its ends', () => {
    fc.assert(
      fc.property(anyTarget, (target) => {
        const route = routeOf(target);
        if (route.kind === 'credentials') assert.match(route.role, /^[^/](.*[^/])?$/);
      }),
      { numRuns: 1_000 },
    );
  });
});
