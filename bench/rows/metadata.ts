import { compareDoor } from '../lib/compare-door.ts';
import { startNodeOfPods } from '../lib/node-of-pods.ts';
import type { Row } from '../lib/row.ts';

/** The metadata door of a real agent, with a server behind it, against a bare server. */
export const metadata: Row = {
  name: 'metadata',
  title: 'credentials requests at the agent, warm',
  hasFlame: true,
  async measure(context) {
    const { agent, role } = await startNodeOfPods(context);
    return compareDoor(context, { ...agent, name: 'agent', role });
  },
};
