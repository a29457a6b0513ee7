import { partPath } from './catalogue.ts';
import { freePorts } from './free-ports.ts';
import { startProcess } from './process.ts';
import { type Scope, stopWith } from './scope.ts';

/** AWS as the project moto emulates it, on loopback. Every role exists and trusts everybody. */
export interface Moto {
  /** The endpoint of all services: `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Forgets every role and object. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** Importing what it emulates takes it some seconds. */
const readyBound = 90_000;

/** Starts moto; the suite must have asked for it with `needs('moto')`. */
export async function startMoto(scope: Scope): Promise<Moto> {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const moto = startProcess({
    title: 'moto_server',
    file: partPath('moto'),
    args: ['-H', '127.0.0.1', '-p', String(port)],
    // It imports boto3, which would look for credentials of its own.
    env: { AWS_EC2_METADATA_DISABLED: 'true', AWS_ACCESS_KEY_ID: 'moto', AWS_SECRET_ACCESS_KEY: 'moto' },
  });
  const stop = () => moto.stop();
  try {
    await moto.untilReady(
      async (signal) => (await fetch(`${url}/moto-api/data.json`, { signal })).ok,
      readyBound,
      scope.signal,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  stopWith(scope, stop);
  return {
    url,
    stop,
    async reset() {
      await fetch(`${url}/moto-api/reset`, { method: 'POST', signal: scope.signal });
    },
  };
}
