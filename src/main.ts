#!/usr/bin/env node
import { runCommandLine } from './commands/command-line.ts';

const status = await runCommandLine(process.argv);
process.exitCode = status;
// A command that failed half-way may have left sockets and watchers behind, which would keep the process alive: it
// would neither work nor be restarted.
if (status !== 0) process.exit();
