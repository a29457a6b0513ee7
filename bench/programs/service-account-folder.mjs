// Preloaded into a server that is measured as it runs inside a cluster, where a kubeconfig and its 80 MB of library
// have no place: what it reads from where kubelet mounts the service account comes from a folder of the bench.

import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const mounted = '/var/run/secrets/kubernetes.io/serviceaccount';
const folder = process.env.PODPASS_BENCH_SERVICE_ACCOUNT ?? mounted;
const { readFile } = promises;
promises.readFile = (path, ...rest) =>
  readFile(typeof path === 'string' ? path.replace(mounted, folder) : path, ...rest);
syncBuiltinESMExports();
