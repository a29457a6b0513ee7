import type { Outcome } from './outcome.ts';

/** Why a cell is not green. */
export interface Footnote {
  readonly outcome: Outcome;
  /** Absent: any. */
  readonly clients?: readonly string[];
  readonly scenarios?: readonly string[];
  readonly text: string;
}

/** The first that fits a cell is its. */
export const footnotes: readonly Footnote[] = [
  {
    outcome: 'fails, new client gets role',
    clients: ['boto3', 'boto3-1.26'],
    text:
      '`boto3.client` looks for credentials when it is called. A client made while there were none never has any; one made ' +
      'later in the same process has. Hence podpass holds the requests of a pod that it does not know yet.',
  },
  {
    outcome: 'fails, new client gets role',
    clients: ['go-v2'],
    scenarios: ['put-403-get-403'],
    text:
      'After a PUT that is refused with 403 or 404 it uses IMDSv1 for good, and only a 401 to that brings it back, as the ' +
      'rows with `--imds=v2-required` show. Hence podpass answers 401 where a token is missing or wrong, never 403.',
  },
  {
    outcome: 'fails, then role',
    clients: ['go-v2'],
    scenarios: ['get-slow-900'],
    text:
      'It gives up each try before 900 ms are over. Hence podpass fetches credentials before they are asked for, and ' +
      'answers from memory.',
  },
  {
    outcome: 'keeps old keys',
    clients: ['rust'],
    scenarios: ['stale-token'],
    text:
      'It takes a 401 as a passing fault, tries the same token four times, and goes on with the keys it has. It asks for ' +
      'another token when the time of the old one is over. Hence podpass’s tokens hold across restarts of the agent.',
  },
];

/** The number of a cell's footnote, from 0; `undefined` where nobody has explained the cell. */
export function footnoteOf(
  cell: { readonly client: string; readonly scenario: string; readonly outcome: Outcome },
  among: readonly Footnote[],
): number | undefined {
  const index = among.findIndex(
    ({ outcome, clients, scenarios }) =>
      outcome === cell.outcome &&
      (clients?.includes(cell.client) ?? true) &&
      (scenarios?.includes(cell.scenario) ?? true),
  );
  return index === -1 ? undefined : index;
}
