import type { FigureId } from './figures.ts';

/**
 * What kiam and kube2iam came to where they were measured: on another machine of this size (2 cores), apart from any
 * run of this bench. Their figures are data here and are never measured again: building them is not part of the
 * project. Ratios are to the bare server of their own run, and only those compare.
 *
 * Conditions: kiam 4.2, kube2iam 0.15, 100 pods (10,000 for the memory of a server), kube-apiserver 1.35,
 * `wrk -t1 -c64`, a GET of credentials of some 700 bytes, caches warm; bare is a `node:http` server.
 */
export const peers: Partial<Record<FigureId, Peers>> = {
  'agent-v1-rate': {
    unit: 'requests/s',
    bare: [87_000, 89_000],
    kiam: [26_300, 26_300],
    kube2iam: [60_000, 62_000],
    comparesBy: 'ratio',
  },
  'agent-v1-p99': {
    unit: 'ms',
    bare: [1.35, 1.35],
    kiam: [5.8, 7.3],
    kube2iam: [5.5, 8.9],
    comparesBy: 'ratio',
  },
  'agent-resident': {
    unit: 'MB',
    bare: [66, 85],
    kiam: [56, 56],
    kube2iam: [44, 44],
    comparesBy: 'value',
  },
  'server-streamed': { unit: 'MB', kiam: [294, 294], comparesBy: 'value' },
  'kiam-rpc-rate': { unit: 'calls/s', bare: [18_000, 18_000], kiam: [26_000, 26_000], comparesBy: 'ratio' },
};

/** From the least to the most that was seen. */
export type Range = readonly [least: number, most: number];

export interface Peers {
  readonly unit: string;
  readonly bare?: Range;
  readonly kiam?: Range;
  readonly kube2iam?: Range;
  /** What is to be held against ours: their ratio to their bare server, or the figure itself. */
  readonly comparesBy: 'ratio' | 'value';
}

export type Peer = 'kiam' | 'kube2iam';

/** A peer's figure in the unit of ours: `0.30 ×`, `4.3 to 5.4 ×`, `294 MB`; empty where it was not measured. */
export function peerFigure(id: FigureId, peer: Peer): string {
  const known = peers[id];
  const range = known?.[peer];
  if (known === undefined || range === undefined) return '';
  if (known.comparesBy === 'value') return `${spanOf(range, 0)} ${known.unit}`;
  if (known.bare === undefined) return '';
  const middle = (known.bare[0] + known.bare[1]) / 2;
  const ratios: Range = [range[0] / middle, range[1] / middle];
  return `${spanOf(ratios, ratios[1] < 2 ? 2 : 1)} ×`;
}

function spanOf([least, most]: Range, decimals: number): string {
  const [from, to] = [least.toFixed(decimals), most.toFixed(decimals)];
  return from === to ? from : `${from} to ${to}`;
}

/** A line for the terminal; undefined where neither was measured. */
export function peersText(id: FigureId): string | undefined {
  const known = (['kiam', 'kube2iam'] as const).flatMap((peer) => {
    const figure = peerFigure(id, peer);
    return figure === '' ? [] : [`${peer} ${figure}`];
  });
  return known.length === 0 ? undefined : `${known.join(', ')} (another run, bench/peers.ts)`;
}
