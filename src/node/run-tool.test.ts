import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runTool } from './run-tool.ts';

describe('runTool', () => {
  it('gives a tool its input and nothing of the environment', async () => {
    process.env.PODPASS_TEST_SECRET = 'x';
    const result = await runTool('sh', ['-c', 'cat; env | grep -c PODPASS_TEST_SECRET; true'], 'rules\n');
    delete process.env.PODPASS_TEST_SECRET;
    assert.deepEqual(result, { kind: 'done', stdout: 'rules\n0\n' });
  });

  it('tells of a tool that is not there', async () => {
    assert.deepEqual(await runTool('podpass-no-such-tool', []), { kind: 'absent' });
  });

  it('passes on what a tool complains of, in one line and bounded', async () => {
    const result = await runTool(
      'sh',
      ['-c', 'printf "no\\nway %01000d" 1 >&2; exit 3'],
      'x'.repeat(200_000),
    );
    assert.equal(result.kind, 'failed');
    assert.match(result.kind === 'failed' ? result.message : '', /^no way 0{300,400}$/);
  });

  it('gives a reason where the tool has none', async () => {
    const result = await runTool('sh', ['-c', 'exit 3']);
    assert.match(result.kind === 'failed' ? result.message : '', /Command failed: sh/);
  });
});
