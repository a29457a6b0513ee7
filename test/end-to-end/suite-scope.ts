import { after } from 'node:test';
import type { Scope } from '../parts/scope.ts';

/** A scope that lasts as long as the suite in whose body this is called. What it holds ends in reverse order. */
export function suiteScope(): Required<Scope> {
  const controller = new AbortController();
  const stops: (() => Promise<void>)[] = [];
  after(async () => {
    controller.abort(new DOMException('the suite has ended', 'AbortError'));
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  return { signal: controller.signal, after: (stop) => void stops.push(stop) };
}
