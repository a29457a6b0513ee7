import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { routeProfile } from './profile-route.ts';

const ask = (url: string, headers: Record<string, string> = {}, method = 'GET') =>
  routeProfile({ method, url, headers: { host: 'localhost:6060', ...headers } });

describe('routeProfile', () => {
  const found: [string, object][] = [
    ['/debug/pprof', { kind: 'index' }],
    ['/debug/pprof/', { kind: 'index' }],
    ['/debug/pprof/profile', { kind: 'profile', of: 'cpu', seconds: 30 }],
    ['/debug/pprof/profile?seconds=5', { kind: 'profile', of: 'cpu', seconds: 5 }],
    ['/debug/pprof/heap?debug=0&seconds=120', { kind: 'profile', of: 'heap', seconds: 120 }],
  ];
  for (const [url, route] of found) it(`knows ${url}`, () => assert.deepEqual(ask(url), route));

  for (const seconds of ['0', '121', '-1', '1e2', '5s', '', '99999']) {
    it(`refuses to take ${seconds || 'no'} seconds`, () => {
      const route = ask(`/debug/pprof/profile?seconds=${seconds}`);
      assert.deepEqual([route.kind, 'status' in route && route.status], ['refused', 400]);
    });
  }

  for (const url of ['/', '/debug/pprof/goroutine', '/debug/pprof/heap/', '/debug/pprof/cmdline', 'x']) {
    it(`has no ${url}`, () => assert.equal(statusOf(ask(url)), 404));
  }

  for (const host of ['127.0.0.1', '127.0.0.1:6060', '127.8.8.8:1', '[::1]:6060', 'localhost']) {
    it(`answers under the name ${host}`, () => assert.equal(ask('/debug/pprof/', { host }).kind, 'index'));
  }

  for (const host of ['', 'evil.example:6060', 'localhost.evil.example', '10.0.0.1:6060', '127.0.0.1.evil']) {
    it(`refuses the name ${host || 'that is not there'}, which DNS may have turned to loopback`, () =>
      assert.equal(statusOf(ask('/debug/pprof/', { host })), 403));
  }

  const pages: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of pages) {
    it(`refuses a web page: ${JSON.stringify(headers)}`, () =>
      assert.equal(statusOf(ask('/debug/pprof/profile', headers)), 403));
  }

  it('answers a person who types the address into a browser', () => {
    assert.equal(ask('/debug/pprof/', { 'sec-fetch-site': 'none' }).kind, 'index');
  });

  it('takes no other method', () => assert.equal(statusOf(ask('/debug/pprof/heap', {}, 'POST')), 405));
});

function statusOf(route: ReturnType<typeof routeProfile>): number | undefined {
  return route.kind === 'refused' ? route.status : undefined;
}
