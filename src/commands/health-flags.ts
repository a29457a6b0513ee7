import { logFlags, serverAddressFlags, tlsFlags } from './flag-groups.ts';
import { flag } from './flags.ts';

/** The flags of `podpass health`, as kiam's. */
export const healthFlags = {
  ...logFlags,
  ...tlsFlags,
  ...serverAddressFlags,
  timeout: flag.duration({ name: 'timeout', default: 1_000, help: 'How long to try before giving up.' }),
};
