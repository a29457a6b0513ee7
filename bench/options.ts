import { parseArgs } from 'node:util';
import type { Row } from './lib/row.ts';

export const usage = `npm run bench -- [OPTIONS]: measures podpass against its budgets (docs/performance.md)

  --quick         fewer and shorter rounds, at most three minutes; without it at most fifteen
  --smoke         only whether every row can be measured; its figures mean nothing
  --only NAME     one row; may be given more than once
  --json FILE     writes the figures there too, beside bench/results/latest.json
  --flame FILE    with --only: where CPU time goes under load, as a flame graph (SVG)
  --scaling       how cost grows with pods, nodes, identities and replicas, to bench/results/scaling.json
  --project       what a large cluster takes, from bench/results/scaling.json or --json FILE
  --docs          writes the tables of docs/performance.md from bench/results/, and measures nothing
`;

export interface BenchOptions {
  readonly mode: 'measure' | 'scaling' | 'project' | 'docs' | 'help';
  readonly quick: boolean;
  readonly smoke: boolean;
  readonly rows: readonly Row[];
  readonly json?: string;
  readonly flame?: string;
}

/** @throws Error naming what cannot be done */
export function parseOptions(argv: readonly string[], rows: readonly Row[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      flame: { type: 'string' },
      scaling: { type: 'boolean', default: false },
      project: { type: 'boolean', default: false },
      docs: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const modes = (['help', 'scaling', 'project', 'docs'] as const).filter((mode) => values[mode]);
  const [mode = 'measure'] = modes;
  if (modes.length > 1) throw new Error(`--${modes.join(' and --')} are two things`);
  const chosen = chooseRows(rows, values.only);
  if (values.flame !== undefined) {
    const fit = rows.filter(({ hasFlame }) => hasFlame).map(({ name }) => name);
    if (mode !== 'measure' || chosen.length !== 1 || !chosen[0]?.hasFlame)
      throw new Error(`--flame needs --only with one of ${fit.join(', ')}`);
  }
  return {
    mode,
    quick: values.quick || values.smoke,
    smoke: values.smoke,
    rows: chosen,
    ...(values.json !== undefined && { json: values.json }),
    ...(values.flame !== undefined && { flame: values.flame }),
  };
}

function chooseRows(rows: readonly Row[], names: readonly string[]): readonly Row[] {
  for (const name of names) {
    if (rows.some((row) => row.name === name)) continue;
    throw new Error(`--only ${name}: there are ${rows.map((row) => row.name).join(', ')}`);
  }
  return names.length === 0 ? rows : rows.filter(({ name }) => names.includes(name));
}
