import { systemRandom } from '../../src/base/random.ts';

/** How `npm run test:faults` tells its files what it was told. */
export const seedVariable = 'PODPASS_FAULTS_SEED';
export const longVariable = 'PODPASS_FAULTS_LONG';

/** The long mode is for a night, or for figures; the short one for every change. */
export const isLong = process.env[longVariable] === '1';

/** All that is random in a run comes from here. */
export const seed = Number(process.env[seedVariable] ?? Math.floor(systemRandom.next() * 2 ** 31));
