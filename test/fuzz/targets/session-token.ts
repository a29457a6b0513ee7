import { createFakeClock } from '../../../src/base/fake-clock.ts';
import { createTokenSigner } from '../../../src/metadata/session-token.ts';
import { fieldsOf, joined } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const uid = '6f1c1b1e-0000-4000-8000-000000000001';
const clock = createFakeClock();
const now = clock.now();
const signer = createTokenSigner({ keys: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)], clock });
const stranger = createTokenSigner({ keys: [new Uint8Array(32).fill(3)], clock });
/** All tokens that were ever given out, and whose. */
const genuine = new Map([
  [signer.sign(uid, 21_600), uid],
  [signer.sign(uid, 1), uid],
  [signer.sign('', 60), ''],
  [signer.sign(`${uid}0`, 60), `${uid}0`],
]);
const [first = ''] = genuine.keys();

/** Nothing that was not given out is taken, and nothing of another pod's. */
export const target: FuzzTarget = {
  name: 'session-token',
  about: 'session tokens of IMDSv2, altered: none is taken that was not given out, for that pod',
  maxBytes: 200,
  seeds: [...genuine]
    .map(([token, owner]) => joined(token, owner))
    .concat(joined(stranger.sign(uid, 60), uid)),
  dictionary: ['=', '-', '_', 'AAAA', uid],
  open: () => ({
    run(input) {
      const [token = '', owner = ''] = fieldsOf(input, 2);
      const isGenuine = genuine.get(token) === owner;
      const verdict = signer.verify(token, owner);
      holds(
        (verdict === 'valid') === isGenuine,
        `${JSON.stringify(token)} is ${verdict} for ${JSON.stringify(owner)}`,
      );
      holds(verdict !== 'expired', 'a token expired that nobody made');
      holds(verdict !== 'valid' || signer.expiration(token) > now, 'a valid token has ended');
      // Each bit of a token counts: change any, and it is no token.
      const bytes = Buffer.from(first);
      const at = (input[0] ?? 0) % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << ((input[1] ?? 0) % 8));
      holds(
        signer.verify(bytes.toString('latin1'), uid) === 'invalid',
        `bit ${input[1]} of character ${at} does not count`,
      );
    },
  }),
};
