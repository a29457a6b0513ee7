import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '../base/fake-clock.ts';
import { type ProfileServer, startProfileServer } from './profile-server.ts';

interface ProfileNode {
  readonly callFrame: { readonly functionName: string };
  readonly selfSize?: number;
  readonly children?: readonly (ProfileNode | number)[];
}

describe('a profile server', () => {
  let clock: FakeClock;
  let server: ProfileServer;

  beforeEach(async () => {
    clock = createFakeClock();
    server = await startProfileServer({ clock, host: '127.0.0.1', port: 0 });
  });
  afterEach(() => server.close());

  const get = async (path: string, signal?: AbortSignal) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, signal ? { signal } : {});
    return { status: response.status, headers: response.headers, body: await response.text() };
  };

  async function until(what: string, holds: () => boolean): Promise<void> {
    for (let turns = 0; !holds(); turns += 1) {
      assert.ok(turns < 100_000, `never: ${what}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** While a profile is being taken something waits for the clock. */
  const taking = () => until('a profile is taken', () => clock.untilNext !== undefined);
  const idle = () => until('no profile is taken', () => clock.untilNext === undefined);

  it('says what there is, and why there is no snapshot', async () => {
    const { status, body } = await get('/debug/pprof/');
    assert.equal(status, 200);
    assert.match(body, /\/debug\/pprof\/profile\?seconds=30/);
    assert.match(body, /no heap snapshot: it would hold the credentials/);
  });

  it('shows where CPU time goes', async () => {
    const asked = get('/debug/pprof/profile?seconds=5');
    await taking();
    assert.equal(clock.untilNext, 5_000);
    burnProcessorTime();
    await clock.advance(5_000);
    const { status, headers, body } = await asked;
    assert.equal(status, 200);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.match(
      headers.get('content-disposition') ?? '',
      /^attachment; filename="podpass-\d+\.cpuprofile"$/,
    );
    const { nodes } = JSON.parse(body) as { nodes: readonly ProfileNode[] };
    assert.ok(nodes.some(({ callFrame }) => callFrame.functionName === 'burnProcessorTime'));
  });

  it('shows who allocated what is alive, and nothing of what is in it', async () => {
    const secret = `wJalrXUtnFEMI${process.pid}`;
    const asked = get('/debug/pprof/heap?seconds=5');
    await taking();
    const kept = allocateMuch(secret);
    await clock.advance(5_000);
    const { status, headers, body } = await asked;
    assert.equal(status, 200);
    assert.match(headers.get('content-disposition') ?? '', /\.heapprofile"$/);
    assert.ok(kept.length > 0);
    const sizes = new Map<string, number>();
    collect((JSON.parse(body) as { head: ProfileNode }).head, sizes);
    assert.ok((sizes.get('allocateOne') ?? 0) > 1_000_000, JSON.stringify([...sizes]));
    assert.equal(body.includes(secret), false);
  });

  it('takes one at a time, and another one when that is done', async () => {
    const first = get('/debug/pprof/profile?seconds=5');
    await taking();
    const second = await get('/debug/pprof/heap');
    assert.deepEqual(
      [second.status, second.body],
      [503, 'another profile is being taken; try again later\n'],
    );
    await clock.advance(5_000);
    assert.equal((await first).status, 200);
    const third = get('/debug/pprof/heap?seconds=1');
    await taking();
    await clock.advance(1_000);
    assert.equal((await third).status, 200);
  });

  it('stops when the one who asked goes away', async () => {
    const leaving = new AbortController();
    const asked = assert.rejects(get('/debug/pprof/profile', leaving.signal));
    await taking();
    leaving.abort();
    await asked;
    await idle();
    const next = get('/debug/pprof/profile?seconds=1');
    await taking();
    await clock.advance(1_000);
    assert.equal((await next).status, 200);
  });

  it('does not keep a process that ends', async () => {
    const asked = assert.rejects(get('/debug/pprof/profile'));
    await taking();
    await server.close();
    await asked;
    await idle();
  });

  it('says which address it could not have', async () => {
    await assert.rejects(startProfileServer({ clock, host: '127.0.0.1', port: server.port }), {
      code: 'ERR_LISTEN',
      message: new RegExp(`127\\.0\\.0\\.1:${server.port} for profiles`),
    });
  });
});

/** Long enough for a profiler that looks every millisecond. */
function burnProcessorTime(): number {
  const end = performance.now() + 60;
  let sum = 0;
  while (performance.now() < end) sum += Math.sqrt(sum + 1);
  return sum;
}

function allocateMuch(text: string): readonly unknown[] {
  return Array.from({ length: 20_000 }, function allocateOne(_, index) {
    return { text: `${text}${index}`, list: new Array(50).fill(index) };
  });
}

function collect(node: ProfileNode, sizes: Map<string, number>): void {
  const { functionName } = node.callFrame;
  sizes.set(functionName, (sizes.get(functionName) ?? 0) + (node.selfSize ?? 0));
  for (const child of node.children ?? []) if (typeof child === 'object') collect(child, sizes);
}
