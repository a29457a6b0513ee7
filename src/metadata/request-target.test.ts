import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { splitTarget } from './request-target.ts';

describe('splitTarget', () => {
  const cases: [string, ReturnType<typeof splitTarget>][] = [
    ['/a/b', { path: '/a/b', query: '' }],
    ['/a?b=c?d', { path: '/a', query: 'b=c?d' }],
    ['/?', { path: '/', query: '' }],
    // In origin form two slashes begin no authority.
    ['//host/a', { path: '//host/a', query: '' }],
    ['http://host', { authority: 'host', path: '/', query: '' }],
    ['http://host?q', { authority: 'host', path: '/', query: 'q' }],
    ['http://[fd00:ec2::254]:80/a', { authority: '[fd00:ec2::254]:80', path: '/a', query: '' }],
    ['hTTp://Host:8181/a%2Fb?ip=10.0.0.1', { authority: 'Host:8181', path: '/a%2Fb', query: 'ip=10.0.0.1' }],
    ['*', undefined],
    ['host:80', undefined],
    ['', undefined],
    ['a/b', undefined],
    ['ftp://host/a', undefined],
    ['http://', undefined],
    ['http://user:pass@host/a', undefined],
    ['/a#b', undefined],
  ];
  for (const [target, parts] of cases) {
    it(`splits ${JSON.stringify(target)}`, () => assert.deepEqual(splitTarget(target), parts));
  }
});
