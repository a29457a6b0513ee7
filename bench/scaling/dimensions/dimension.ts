import type { RowContext } from '../../lib/row.ts';
import type { Series } from '../series.ts';

/** One way in which an installation grows. */
export interface Dimension {
  /** Under which name its series is in the JSON. */
  readonly name: 'podsOfNode' | 'podsOfCluster' | 'nodes' | 'identities' | 'replicas';
  readonly title: string;
  measure(context: RowContext): Promise<Series>;
}
