import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listAt, textAt } from './json.ts';
import { resourceNamed } from './resources.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  expired,
  forbidden,
  invalid,
  methodNotAllowed,
  noSuchPath,
  notFound,
  type Refused,
  tooLargeResourceVersion,
  unauthorized,
} from './status.ts';

const pods = resourceNamed('pods');
const deployments = resourceNamed('deployments.apps');

describe('refusals', () => {
  // Codes, reasons and texts as kube-apiserver writes them; clients decide by code and reason.
  const cases: [string, Refused, number, string, string | RegExp][] = [
    ['a missing object', notFound(pods, 'web'), 404, 'NotFound', 'pods "web" not found'],
    ['one of a group', notFound(deployments, 'api'), 404, 'NotFound', 'deployments.apps "api" not found'],
    ['a missing path', noSuchPath(), 404, 'NotFound', 'the server could not find the requested resource'],
    ['a name that is taken', alreadyExists(pods, 'web'), 409, 'AlreadyExists', 'pods "web" already exists'],
    [
      'a lost race',
      conflict(pods, 'web'),
      409,
      'Conflict',
      /^Operation cannot be fulfilled on pods "web": the object has been modified/,
    ],
    [
      'a failed precondition',
      conflict(pods, 'web', 'because'),
      409,
      'Conflict',
      'Operation cannot be fulfilled on pods "web": because',
    ],
    ['a bad request', badRequest('why'), 400, 'BadRequest', 'why'],
    [
      'a right that is missing',
      forbidden(pods, 'web', 'why'),
      403,
      'Forbidden',
      'pods "web" is forbidden: why',
    ],
    ['the same for a collection', forbidden(pods, '', 'why'), 403, 'Forbidden', 'pods is forbidden: why'],
    ['nobody', unauthorized(), 401, 'Unauthorized', 'Unauthorized'],
    ['a wrong method', methodNotAllowed(), 405, 'MethodNotAllowed', /does not allow this method/],
    ['lost history', expired('gone'), 410, 'Expired', 'gone'],
    [
      'the future',
      tooLargeResourceVersion(9, 5),
      504,
      'Timeout',
      /Too large resource version: 9, current: 5/,
    ],
  ];
  for (const [what, { status }, code, reason, message] of cases) {
    it(`says ${code} ${reason} for ${what}`, () => {
      assert.equal(status.kind, 'Status');
      assert.equal(status.apiVersion, 'v1');
      assert.equal(status.status, 'Failure');
      assert.equal(status.code, code);
      assert.equal(status.reason, reason);
      if (typeof message === 'string') assert.equal(status.message, message);
      else assert.match(status.message ?? '', message);
    });
  }

  it('names the object in details, with its group where it has one', () => {
    assert.deepEqual(notFound(pods, 'web').status.details, { name: 'web', kind: 'pods' });
    assert.deepEqual(notFound(deployments, 'api').status.details, {
      name: 'api',
      group: 'apps',
      kind: 'deployments',
    });
  });

  it('names the field that is wrong', () => {
    const { status } = invalid('Pod', 'web', 'metadata.name', 'too long');
    assert.equal(status.code, 422);
    assert.equal(status.message, 'Pod "web" is invalid: metadata.name: too long');
    assert.deepEqual(status.details?.causes, [
      { reason: 'FieldValueInvalid', message: 'too long', field: 'metadata.name' },
    ]);
  });

  it('gives the future the cause by which client-go knows it', () => {
    const [cause] = listAt(tooLargeResourceVersion(9, 5).status, 'details', 'causes');
    assert.equal(textAt(cause, 'reason'), 'ResourceVersionTooLarge');
    assert.equal(tooLargeResourceVersion(9, 5).status.details?.retryAfterSeconds, 1);
  });
});
