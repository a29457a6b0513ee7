import type { Row } from '../lib/row.ts';
import { agent } from './agent.ts';
import { kiamRpc } from './kiam-rpc.ts';
import { metadata } from './metadata.ts';
import { propagation } from './propagation.ts';
import { server } from './server.ts';
import { standalone } from './standalone.ts';
import { startTime } from './start-time.ts';
import { stsCalls } from './sts-calls.ts';
import { upgrade } from './upgrade.ts';

export const rows: readonly Row[] = [
  metadata,
  kiamRpc,
  agent,
  standalone,
  server,
  propagation,
  stsCalls,
  startTime,
  upgrade,
];
