import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PodpassError } from '../base/errors.ts';
import { classifyStsError } from './sts-errors.ts';

/** An error as the SDK makes it of STS's XML. */
function stsError(Code: string, httpStatusCode: number, message = 'words of STS'): Error {
  return Object.assign(new Error(message), { name: Code, Code, $metadata: { httpStatusCode } });
}

function systemError(code: string, message: string, name = 'Error'): Error {
  return Object.assign(new Error(message), { name, code, $metadata: { attempts: 1 } });
}

describe('classifyStsError: what STS says', () => {
  const cases: [string, number, string][] = [
    ['AccessDenied', 403, 'refused'],
    ['AccessDeniedException', 400, 'refused'],
    ['ValidationError', 400, 'refused'],
    ['MalformedPolicyDocument', 400, 'refused'],
    ['PackedPolicyTooLarge', 400, 'refused'],
    ['RegionDisabledException', 403, 'refused'],
    ['SomethingNobodyHasSeenYet', 400, 'refused'],
    ['Throttling', 400, 'throttled'],
    ['ThrottlingException', 400, 'throttled'],
    ['RequestLimitExceeded', 503, 'throttled'],
    ['TooManyRequestsException', 429, 'throttled'],
    ['SomethingNobodyHasSeenYet', 429, 'throttled'],
    ['ExpiredToken', 403, 'unavailable'],
    ['ExpiredTokenException', 400, 'unavailable'],
    ['InvalidClientTokenId', 403, 'unavailable'],
    ['SignatureDoesNotMatch', 403, 'unavailable'],
    ['UnrecognizedClientException', 400, 'unavailable'],
    ['IDPCommunicationError', 400, 'unavailable'],
    ['RequestTimeout', 408, 'unavailable'],
    ['InternalFailure', 500, 'unavailable'],
    ['ServiceUnavailable', 503, 'unavailable'],
    ['SomethingNobodyHasSeenYet', 500, 'unavailable'],
  ];
  for (const [code, status, kind] of cases) {
    it(`takes ${code} with HTTP ${status} for ${kind}`, () => {
      const failure = classifyStsError(stsError(code, status));
      assert.equal(failure.kind, kind);
      assert.equal(failure.code, code);
      assert.match(failure.message, /^words of STS/);
    });
  }

  for (const code of ['A'.repeat(129), 'Access Denied', 'A\nB', '<b>', '4', 'Zugriff\u202e']) {
    it(`takes ${JSON.stringify(code.slice(0, 20))} for no code of STS’s`, () => {
      const failure = classifyStsError(stsError(code, 403));
      assert.equal(failure.kind, 'unavailable');
      assert.equal(failure.code, 'UnknownAnswer');
    });
  }

  it('says that it is about podpass’s own credentials where it is, and only there', () => {
    assert.match(
      classifyStsError(stsError('ExpiredToken', 403)).message,
      /credentials podpass has for itself/,
    );
    assert.equal(classifyStsError(stsError('AccessDenied', 403)).message, 'words of STS');
  });
});

describe('classifyStsError: what never came to STS', () => {
  it('takes the system’s errors for the network’s, whatever name the SDK gave them', () => {
    const cases: [Error, string][] = [
      [
        systemError('ECONNREFUSED', 'connect ECONNREFUSED 192.0.2.1:443'),
        'cannot reach STS: connect ECONNREFUSED 192.0.2.1:443',
      ],
      [systemError('ECONNRESET', 'socket hang up', 'TimeoutError'), 'cannot reach STS: socket hang up'],
      [
        systemError('ENOTFOUND', 'getaddrinfo ENOTFOUND sts.eu-nowhere-1.amazonaws.com'),
        'cannot reach STS: getaddrinfo ENOTFOUND sts.eu-nowhere-1.amazonaws.com',
      ],
      [
        systemError('CERT_HAS_EXPIRED', 'certificate has expired'),
        'cannot reach STS: certificate has expired',
      ],
      [
        Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('other')], ''), {
          code: 'ECONNREFUSED',
        }),
        'cannot reach STS: connect ECONNREFUSED ::1:1',
      ],
    ];
    for (const [error, message] of cases) {
      assert.deepEqual(classifyStsError(error), { kind: 'unavailable', code: 'NetworkError', message });
    }
  });

  it('knows the time limit of the SDK', () => {
    const error = Object.assign(new Error('Connection timed out after 3000 ms'), { name: 'TimeoutError' });
    assert.equal(classifyStsError(error).code, 'RequestTimeout');
  });

  it('does not believe an answer that is not STS’s: a proxy may answer 403', () => {
    for (const status of [200, 302, 403, 404, 502]) {
      const error = Object.assign(new Error('Unknown'), {
        name: 'Unknown',
        $metadata: { httpStatusCode: status },
      });
      const failure = classifyStsError(error);
      assert.deepEqual(
        [failure.kind, failure.code, failure.message],
        ['unavailable', 'UnknownAnswer', `HTTP ${status} without an error code: is this STS, or a proxy?`],
      );
    }
  });

  it('takes a nameless 429 for throttling', () => {
    const error = Object.assign(new Error('Unknown'), { $metadata: { httpStatusCode: 429 } });
    assert.equal(classifyStsError(error).kind, 'throttled');
  });

  it('calls missing credentials of our own by a name of their own', () => {
    const error = Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    });
    assert.deepEqual(classifyStsError(error), {
      kind: 'unavailable',
      code: 'NoBaseCredentials',
      message: 'Could not load credentials from any providers',
    });
  });

  it('does not take a refusal of podpass’s own role for one of the pod’s role', () => {
    const error = new PodpassError('ERR_STS', 'podpass cannot assume its own role', {
      cause: stsError('AccessDenied', 403),
    });
    assert.deepEqual(classifyStsError(error), {
      kind: 'unavailable',
      code: 'NoBaseCredentials',
      message: 'podpass cannot assume its own role',
    });
  });

  it('still slows down when getting podpass’s own role is what STS throttles', () => {
    const error = new PodpassError('ERR_STS', 'podpass cannot assume its own role', {
      cause: stsError('Throttling', 400),
    });
    assert.equal(classifyStsError(error).kind, 'throttled');
  });

  for (const thrown of [undefined, null, 'text', 42, {}, new Error('')]) {
    it(`makes something of ${String(thrown)}`, () => {
      assert.deepEqual(
        [classifyStsError(thrown).kind, classifyStsError(thrown).code],
        ['unavailable', 'UnknownAnswer'],
      );
    });
  }
});

describe('classifyStsError: messages', () => {
  const cases: [string, string][] = [
    [
      'Rate exceeded, status code: 400, request id: 11111111-2222-3333-4444-555555555555',
      'Rate exceeded, status code: 400',
    ],
    ['Denied (RequestID: 11111111-2222-3333-4444-555555555555)', 'Denied'],
    ['two\nlines\twith \u0007 bells', 'two lines with bells'],
    ['the request identity is unclear', 'the request identity is unclear'],
  ];
  for (const [message, expected] of cases) {
    it(`tidies ${JSON.stringify(message)}`, () => {
      assert.equal(classifyStsError(stsError('AccessDenied', 403, message)).message, expected);
    });
  }

  it('are short', () => {
    const { message } = classifyStsError(stsError('AccessDenied', 403, 'x'.repeat(5_000)));
    assert.equal(message.length, 1_000);
    assert.ok(message.endsWith('…'));
  });
});
