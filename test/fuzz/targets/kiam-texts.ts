import { kiamDate, readKiamDate } from '../../../src/wire/kiam-date.ts';
import { readKiamError } from '../../../src/wire/kiam-errors.ts';
import { textOf } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

export const target: FuzzTarget = {
  name: 'kiam-texts',
  about: "dates and errors as kiam's servers write them",
  maxBytes: 1_200,
  seeds: [
    '2026-01-01T00:00:00Z',
    '2028-02-29T23:59:59Z',
    'pod not found',
    'forbidden by policy',
    "role can't be empty",
    'AccessDenied: User: arn:aws:sts::1:assumed-role/x is not authorized\n\tstatus code: 403, request id: 0a1b2c3d-0000-0000-0000-000000000000',
    'RequestError: send request failed\ncaused by: dial tcp',
  ],
  dictionary: ['-02-30', 'T24:00:00Z', '9999', '0000', ': ', 'status code: ', 'caused by: '],
  open: () => ({
    run(input) {
      const text = textOf(input);
      const millis = readKiamDate(text);
      if (millis !== undefined) holds(kiamDate(millis) === text, `${text} is read as ${kiamDate(millis)}`);
      const failure = readKiamError(text);
      if (failure.kind === 'refused' || failure.kind === 'unavailable') {
        const { code, message } = failure.problem;
        holds(code !== '' && !/\s/.test(code) && code.length <= 200, `the code is ${JSON.stringify(code)}`);
        holds(message.length <= 2_000, 'the message is too long');
      }
    },
  }),
};
