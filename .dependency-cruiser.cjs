// The floors of the house: a room may import what stands below it, never what stands above or a door beside it.
// docs/architecture.md has the picture; `npm run lint` checks it.

/** From the ground up. Rooms of one floor do not know each other. */
const floors = [
  ['base'],
  ['telemetry'],
  ['cluster'],
  ['identity', 'roles', 'credentials'],
  ['broker'],
  ['metadata', 'wire', 'sandbox', 'node', 'iam'],
  ['commands'],
];

const rules = [
  {
    name: 'no-circular',
    comment: 'Two files that import each other are one file, or a third is missing between them.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-orphans',
    comment: 'A file that nobody imports is dead.',
    severity: 'error',
    from: { orphan: true, path: '^src/', pathNot: '\\.test\\.ts$|^src/main\\.ts$' },
    to: {},
  },
  {
    name: 'doors-see-the-broker-only',
    comment: 'A door asks the broker; it never looks at the cluster or at credentials itself.',
    severity: 'error',
    from: { path: '^src/metadata/', pathNot: '\\.test\\.ts$' },
    to: { path: '^src/(cluster|credentials|identity|roles)/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'no-test-imports',
    comment: 'Product code does not import tests or test helpers.',
    severity: 'error',
    from: { path: '^src/', pathNot: '\\.(test|fixture)\\.ts$|/testing/' },
    to: { path: '\\.(test|fixture)\\.ts$|/testing/|^test/|^bench/|^scripts/' },
  },
  {
    name: 'kubeconfig-library-only-on-demand',
    comment:
      '@kubernetes/client-node costs 80 MB of memory: only kubeconfig.ts loads it, when a person needs it.',
    severity: 'error',
    from: { pathNot: '^src/cluster/kubeconfig\\.ts$|^test/' },
    to: { path: 'node_modules/@kubernetes/client-node' },
  },
  {
    name: 'aws-sdk-only-where-aws-is-called',
    comment: 'The AWS SDK costs 24 MB: the agent must never load it, so only these rooms may import it.',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/(credentials|sandbox)/|\\.test\\.ts$|/testing/' },
    to: { path: 'node_modules/@(aws-sdk|smithy|peculiar)/', dependencyTypesNot: ['type-only'] },
  },
];

for (const [level, rooms] of floors.entries()) {
  for (const room of rooms) {
    const forbidden = [...floors.slice(level + 1).flat(), ...rooms.filter((other) => other !== room)];
    if (forbidden.length === 0) continue;
    rules.push({
      name: `floor-of-${room}`,
      comment: `src/${room} may import: itself, ${floors.slice(0, level).flat().join(', ') || 'nothing else'}.`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${forbidden.join('|')})/` },
    });
  }
}

module.exports = {
  forbidden: rules,
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: '^src/wire/gen/' },
  },
};
