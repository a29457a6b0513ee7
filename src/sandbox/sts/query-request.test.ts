import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseQueryRequest } from './query-request.ts';

function parse(method: string, target: string, body = '') {
  return parseQueryRequest({ method, target, headers: {}, body: Buffer.from(body) });
}

describe('parseQueryRequest', () => {
  it('reads a form', () => {
    const parsed = parse(
      'POST',
      '/',
      'Action=AssumeRole&Version=2011-06-15&RoleSessionName=a%2Bb+c%3D%C3%A4',
    );
    assert.equal(parsed.kind, 'call');
    assert.equal(parsed.call.action, 'AssumeRole');
    assert.equal(parsed.call.parameters.get('RoleSessionName'), 'a+b c=ä');
    assert.deepEqual({ ...parsed.call.query }, {});
  });

  it('reads a query string, and keeps it apart for the signature', () => {
    const parsed = parse('GET', '/?Action=GetCallerIdentity&Version=2011-06-15&a=1&a=2&a=3');
    assert.equal(parsed.kind, 'call');
    assert.deepEqual(
      { ...parsed.call.query },
      {
        Action: 'GetCallerIdentity',
        Version: '2011-06-15',
        a: ['1', '2', '3'],
      },
    );
  });

  it('ignores the body of a GET, which would not be what the caller signed', () => {
    const parsed = parse('GET', '/?Action=GetCallerIdentity', 'Action=AssumeRole');
    assert.equal(parsed.kind === 'call' && parsed.call.action, 'GetCallerIdentity');
  });

  it('has no trouble with names that objects know already', () => {
    const parsed = parse('GET', '/?Action=GetCallerIdentity&__proto__=x&constructor=y');
    assert.equal(parsed.kind, 'call');
    assert.equal(parsed.call.query.constructor, 'y');
    assert.equal(Object.getOwnPropertyDescriptor(parsed.call.query, '__proto__')?.value, 'x');
  });

  const refusals: readonly (readonly [string, string, string, number, string])[] = [
    ['GET', '/', '', 400, 'MissingAction'],
    ['POST', '/', 'Version=2011-06-15', 400, 'MissingAction'],
    ['POST', '/', 'Action=&Version=2011-06-15', 400, 'MissingAction'],
    ['POST', '/', 'Action=AssumeRole&Version=2012-01-01', 400, 'NoSuchVersion'],
    ['PUT', '/?Action=AssumeRole', '', 404, 'UnknownOperationException'],
    ['GET', '/other?Action=AssumeRole', '', 404, 'UnknownOperationException'],
    ['GET', '', '', 404, 'UnknownOperationException'],
  ];
  for (const [method, target, body, status, code] of refusals) {
    it(`answers ${code} to ${method} ${target} ${body}`, () => {
      const parsed = parse(method, target, body);
      assert.equal(parsed.kind, 'failed');
      assert.deepEqual([parsed.status, parsed.code], [status, code]);
    });
  }
});
