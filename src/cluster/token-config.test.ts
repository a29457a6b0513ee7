import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tokenConfig } from './token-config.ts';
import { withoutVerification } from './without-verification.ts';

describe('tokenConfig', () => {
  it('shows the token to the server, and trusts what Node trusts', async () => {
    const config = tokenConfig({ server: 'https://api.example:6443/', token: 'abc' });
    assert.equal(config.server, 'https://api.example:6443');
    assert.deepEqual(await config.access({ refused: false }), {
      headers: { authorization: 'Bearer abc' },
      tls: {},
    });
  });

  it('refuses what cannot stand in a header, without repeating it', () => {
    for (const token of ['', 'a b', 'a\r\nx: y', 'ä']) {
      assert.throws(
        () => tokenConfig({ server: 'https://x', token }),
        (error: Error) => {
          assert.equal((error as { code?: string }).code, 'ERR_CLUSTER_CONFIG');
          return token === '' || !error.message.includes(token);
        },
      );
    }
  });
});

describe('withoutVerification', () => {
  it('leaves everything else as it is', async () => {
    const config = {
      server: 'https://x',
      source: 'test',
      access: async () => ({ headers: { authorization: 'Bearer abc' }, tls: { ca: 'PEM' } }),
    };
    const changed = withoutVerification(config);
    assert.equal(changed.server, 'https://x');
    assert.deepEqual(await changed.access({ refused: false }), {
      headers: { authorization: 'Bearer abc' },
      tls: { ca: 'PEM', rejectUnauthorized: false },
    });
  });
});
