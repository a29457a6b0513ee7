import type { Clock } from '../../base/clock.ts';
import type { Answer, Broker, Caller, PatientOptions } from '../../broker/broker.ts';
import type { Credentials } from '../../credentials/session.ts';
import type { BoundRole } from '../../roles/decision.ts';

/** A broker whose answers a test sets, address by address. What was not set is `unknown`. */
export interface FakeBroker extends Broker {
  /** Sets what an address is answered, and wakes whoever waits for it. */
  set(address: string, answer: Answer): void;
  delete(address: string): void;
  /** Waits that are under way. */
  readonly waiting: number;
  /** Every call, in order. */
  readonly calls: readonly FakeCall[];
  /** Resolves as soon as `count` waits are under way. */
  untilWaiting(count: number): Promise<void>;
}

export interface FakeCall {
  readonly method: 'ask' | 'askPatiently';
  readonly address: string;
  readonly options?: PatientOptions;
}

export function createFakeBroker(clock: Clock): FakeBroker {
  const answers = new Map<string, Answer>();
  const waiters = new Set<() => void>();
  const watchers = new Set<() => void>();
  const calls: FakeCall[] = [];

  function lookUp(address: string): Answer {
    return answers.get(address) ?? { kind: 'unknown', address };
  }

  function isFinal({ kind }: Answer, wanted: PatientOptions['for']): boolean {
    return kind !== 'unknown' && kind !== 'undecided' && (kind !== 'pending' || wanted === 'role');
  }

  function wake(): void {
    for (const waiter of [...waiters]) waiter();
  }

  return {
    ask(address) {
      calls.push({ method: 'ask', address });
      return lookUp(address);
    },
    async askPatiently(address, options) {
      calls.push({ method: 'askPatiently', address, options });
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = clock.setTimer(options.waitMillis, resolve);
      const check = () => {
        if (isFinal(lookUp(address), options.for)) resolve();
      };
      const onAbort = () => reject(options.signal.reason);
      options.signal.addEventListener('abort', onAbort, { once: true });
      waiters.add(check);
      for (const watcher of [...watchers]) watcher();
      check();
      try {
        await promise;
      } finally {
        timer.cancel();
        waiters.delete(check);
        options.signal.removeEventListener('abort', onAbort);
        for (const watcher of [...watchers]) watcher();
      }
      return lookUp(address);
    },
    set(address, answer) {
      answers.set(address, answer);
      wake();
    },
    delete(address) {
      answers.delete(address);
      wake();
    },
    get waiting() {
      return waiters.size;
    },
    calls,
    untilWaiting(count) {
      return new Promise((resolve) => {
        const watcher = () => {
          if (waiters.size !== count) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        watcher();
      });
    },
  };
}

export const fakeCaller: Caller = {
  uid: '6f1c1b1e-0000-4000-8000-000000000001',
  namespace: 'shop',
  name: 'web-0',
};
export const fakeRole: BoundRole = { name: 'reader', arn: 'arn:aws:iam::123456789012:role/reader' };

/** An hour of credentials, issued now. */
export function fakeCredentials(clock: Clock): Credentials {
  return {
    accessKeyId: 'ASIAFAKEFAKEFAKEFAKE',
    secretAccessKey: 'fake/secret+key/of/forty/characters/abcd',
    sessionToken: 'FwoGZXIvYXdzEFake'.repeat(20),
    issuedAt: clock.now(),
    goodUntil: Number.POSITIVE_INFINITY,
    expiration: clock.now() + 3_600_000,
  };
}

export function credentialsAnswer(clock: Clock, caller = fakeCaller, role = fakeRole): Answer {
  return { kind: 'credentials', caller, role, credentials: fakeCredentials(clock) };
}
