import type { HelpConfiguration } from 'commander';

/** Where descriptions begin. Longer flags have a line of their own: the longest would leave no room beside it. */
const column = 30;

/** How `--help` looks: wide enough for a terminal, no wider than a person reads, and booleans with their negation. */
export const helpLayout: HelpConfiguration = {
  helpWidth: Math.min(process.stdout.columns ?? 80, 100),
  showGlobalOptions: false,
  optionTerm: ({ flags, long, required }) =>
    required || long === '--help' || long === '--version'
      ? flags.replace(/<(.+)>/, '$1')
      : flags.replace(/^--/, '--[no-]'),
  // The default and the rest are part of it already.
  optionDescription: ({ description }) => description,
  formatItem(term, termWidth, description, helper) {
    const indent = Math.min(termWidth + 4, column);
    const lines = helper.boxWrap(description, (helper.helpWidth ?? 80) - indent).split('\n');
    const text = lines.join(`\n${' '.repeat(indent)}`);
    const head = `  ${term}`;
    return head.length + 2 <= indent ? head.padEnd(indent) + text : `${head}\n${' '.repeat(indent)}${text}`;
  },
};

/** What holds for the flags of every command. */
export const helpEnding = `
A flag can also be set by a variable, PODPASS_ and its name in capitals:
--json-log by PODPASS_JSON_LOG=true. The command line wins.
Durations are written as 500ms, 10s or 1h30m. @FILE reads arguments from a file,
one on each line.`;
