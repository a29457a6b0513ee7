import { builtinModules } from 'node:module';
import type { Plugin } from 'esbuild';

const namespace = 'builtin';
/** `fs`, `fs/promises`, `node:fs`; not what only some Nodes have. */
const known = new Set(
  builtinModules.flatMap((name) => (name.startsWith('node:') ? [name] : [name, `node:${name}`])),
);
/** What `node:http` has of undici: reading one of them loads it. They are globals, too. */
const ofUndici = ['WebSocket', 'CloseEvent', 'MessageEvent'];
const identifier = /^[A-Za-z_$][\w$]*$/;

/**
 * Takes Node's own modules from `process.getBuiltinModule` instead of importing them. An import of `node:http` makes Node
 * read everything that it exports, `WebSocket` too, which is a getter behind which the whole of undici waits: 15 MB of
 * resident memory and 7 MB of memory of its own, for each process, and nobody here uses it. Others cost less, and some.
 *
 * What is exported is what the building Node has; each is read when the module that imports it begins, as an import's is.
 */
export const builtinsWithoutFacade: Plugin = {
  name: 'builtins-without-facade',
  setup(build) {
    build.onResolve({ filter: /^[a-z\d:_/]+$/ }, ({ path, kind }) => {
      const name = path.replace(/^node:/, '');
      // Others that are loaded by import() are few, and cheap.
      const isTaken = kind === 'import-statement' || (kind === 'dynamic-import' && name === 'http');
      return isTaken && known.has(path) ? { path: name, namespace, sideEffects: false } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: sourceOf(path), loader: 'js' }));
  },
};

/** A module that exports what one of Node's does. What is not used falls out of the bundle, and is not read. */
export function sourceOf(name: string): string {
  const names = Object.keys(process.getBuiltinModule(`node:${name}`) ?? {}).filter(
    (key) => identifier.test(key) && key !== 'default' && !ofUndici.includes(key),
  );
  return [
    `const builtin = process.getBuiltinModule('node:${name}');`,
    'export default builtin;',
    ...names.map(
      (key, i) => `const e${i} = /* @__PURE__ */ (() => builtin.${key})();\nexport { e${i} as ${key} };`,
    ),
  ].join('\n');
}
