import { keepaliveFlags, logFlags, serverAddressFlags, tlsFlags } from './flag-groups.ts';
import { flag, grouped } from './flags.ts';

/** The flags of `podpass health`, as kiam's. */
export const healthFlags = {
  ...serverAddressFlags,
  ...grouped('Servers', {
    timeout: flag.duration({
      name: 'timeout',
      default: 1_000,
      help: 'How long to ask a server before giving up.',
    }),
    gatewayTimeoutCreation: flag.duration({
      name: 'gateway-timeout-creation',
      default: 1_000,
      help: 'How long to try to connect to a server before that.',
    }),
  }),
  ...tlsFlags,
  ...keepaliveFlags,
  ...logFlags,
};
