import { execFile } from 'node:child_process';

/** How a tool ended. */
export type ToolResult =
  | { readonly kind: 'done'; readonly stdout: string }
  /** There is no such tool on this machine. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly message: string };

/** Runs a tool of the host to its end, without a shell. Never rejects. */
export type RunTool = (tool: string, args: readonly string[], input?: string) => Promise<ToolResult>;

/** iptables may wait 5 s for the lock of the tables. */
const boundMillis = 10_000;

/** `iptables-save` of a big node. More is no table of rules. */
const longestOutput = 16 * 1024 * 1024;

/** None of the agent's own environment: nothing in it may change what a tool does. */
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** What a person is shown of a tool's complaint. */
const longestMessage = 400;

export const runTool: RunTool = (tool, args, input = '') =>
  new Promise((resolve) => {
    const options = {
      env: environment,
      timeout: boundMillis,
      killSignal: 'SIGKILL',
      maxBuffer: longestOutput,
    } as const;
    const child = execFile(tool, args, options, (error, stdout, stderr) => {
      if (!error) resolve({ kind: 'done', stdout });
      else if (error.code === 'ENOENT') resolve({ kind: 'absent' });
      else if (error.killed) resolve({ kind: 'failed', message: `${tool} did not end within its bound` });
      else resolve({ kind: 'failed', message: complaint(stderr) || error.message });
    });
    // A tool that ends before it has read all says why on standard error.
    child.stdin?.on('error', () => {}).end(input);
  });

function complaint(stderr: string): string {
  return stderr.replaceAll(/\s+/g, ' ').trim().slice(0, longestMessage);
}
