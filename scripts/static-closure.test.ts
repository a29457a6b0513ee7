import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImportKind, Metafile } from 'esbuild';
import { packageOf, packagesOf, staticClosure } from './static-closure.ts';

type Import = readonly [path: string, kind?: ImportKind, external?: boolean];

function metafile(inputs: Readonly<Record<string, readonly Import[]>>): Metafile {
  return {
    outputs: {},
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([path, imports]) => [
        path,
        {
          bytes: 1,
          imports: imports.map(([imported, kind = 'import-statement', external = false]) => ({
            path: imported,
            kind,
            external,
          })),
        },
      ]),
    ),
  };
}

const build = metafile({
  'src/main.ts': [['src/a.ts'], ['src/lazy.ts', 'dynamic-import'], ['node:fs', 'import-statement', true]],
  'src/a.ts': [['src/b.ts'], ['node_modules/pino/pino.js', 'require-call']],
  'src/b.ts': [['src/a.ts']],
  'src/lazy.ts': [['node_modules/@aws-sdk/client-sts/index.js'], ['src/b.ts']],
  'src/other/main.ts.ts': [],
  'node_modules/pino/pino.js': [],
  'node_modules/@aws-sdk/client-sts/index.js': [],
});

describe('staticClosure', () => {
  it('follows imports and requires, also in a circle, and stops before import()', () => {
    const reached = staticClosure(build, 'src/main.ts');
    assert.deepEqual([...reached].sort(), [
      'node_modules/pino/pino.js',
      'src/a.ts',
      'src/b.ts',
      'src/main.ts',
    ]);
  });

  it('starts anywhere, as what is behind an import() does', () => {
    const reached = staticClosure(build, 'src/lazy.ts');
    assert.deepEqual(packagesOf(reached), ['@aws-sdk/client-sts', 'pino']);
  });

  it('finds what is imported both at once and later', () => {
    const both = metafile({
      'src/main.ts': [['src/a.ts', 'dynamic-import'], ['src/b.ts']],
      'src/b.ts': [['src/a.ts']],
      'src/a.ts': [],
    });
    assert.ok(staticClosure(both, 'src/main.ts').has('src/a.ts'));
  });

  it('finds the start by the end of its path, and refuses one that is not there', () => {
    const nested = metafile({ '../x/src/main.ts': [] });
    assert.deepEqual([...staticClosure(nested, 'src/main.ts')], ['../x/src/main.ts']);
    assert.throws(() => staticClosure(build, 'src/gone.ts'), /src\/gone\.ts is not part of the build/);
    assert.throws(() => staticClosure(build, 'ain.ts'), /not part/);
  });
});

describe('packageOf', () => {
  const cases: readonly [string, string | undefined][] = [
    ['src/main.ts', undefined],
    ['node_modules/pino/lib/a.js', 'pino'],
    ['node_modules/@aws-sdk/core/dist/a.js', '@aws-sdk/core'],
    ['../x/node_modules/a/node_modules/@b/c/index.js', '@b/c'],
  ];
  for (const [path, expected] of cases) {
    it(`takes ${path} for ${expected ?? 'our own'}`, () => assert.equal(packageOf(path), expected));
  }
});
