import assert from 'node:assert/strict';
import { it } from 'node:test';
import { experimental, logVerbosity } from '@grpc/grpc-js';
import { createLogger } from '../telemetry/logger.ts';
import { routeGrpcLog } from './grpc-log.ts';

it("the gRPC library's lines go to the process's log", () => {
  const lines: string[] = [];
  routeGrpcLog(createLogger({ level: 'info', json: true, write: (line) => lines.push(line) }));
  experimental.log(logVerbosity.ERROR, 'No address added');
  experimental.log(logVerbosity.DEBUG, 'not asked for');
  assert.equal(lines.length, 1);
  const { level, msg, from } = JSON.parse(lines[0] ?? '{}');
  assert.deepEqual({ level, msg, from }, { level: 'warning', msg: 'No address added', from: 'grpc' });
});
