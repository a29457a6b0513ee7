import { flag } from './flags.ts';

/** The flags of `podpass sandbox` and of its subcommands. */
export const sandboxFlags = {
  manifests: flag.text({
    name: 'manifests',
    placeholder: 'DIR',
    help: 'Folder with Kubernetes objects and, beside them, roles.yaml. The shipped examples unless given.',
  }),
  stsLatency: flag.duration({
    name: 'sts-latency',
    default: 0,
    help: 'Let every call of the STS take this long.',
  }),
  stsThrottle: flag.integer({
    name: 'sts-throttle',
    default: 0,
    min: 0,
    max: 100,
    help: 'Let the STS answer this many of 100 calls with "Throttling".',
  }),
  verbose: flag.boolean({ name: 'verbose', help: 'Show every line that the processes of podpass write.' }),
};

/** Those of `podpass sandbox exec`. */
export const execFlags = {
  ...sandboxFlags,
  standalone: flag.boolean({
    name: 'standalone',
    help: 'Enter the pod through podpass standalone instead of through the agent.',
  }),
};
