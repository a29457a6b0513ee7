import type { FuzzTarget } from '../fuzz-target.ts';

/** Its input says how it goes wrong in a way that no `catch` around it sees. */
export const target: FuzzTarget = {
  name: 'bad',
  about: 'goes wrong behind the back of whoever runs it',
  seeds: [process.env.FUZZ_FIXTURE ?? ''],
  open: () => ({
    async run(input) {
      const text = Buffer.from(input).toString();
      if (text === 'exit') process.exit(3);
      if (text === 'loop') for (;;);
      if (text !== 'throw later') return;
      setImmediate(() => {
        throw new RangeError('later');
      });
      await new Promise(() => {});
    },
  }),
};
