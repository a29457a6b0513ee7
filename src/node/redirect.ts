import type { HostInterfaces } from './host-interfaces.ts';
import type { Family } from './metadata-addresses.ts';

/** What the rule does: metadata requests that arrive through `interfaces` go to `hosts` at `port`. */
export interface Redirect {
  readonly interfaces: HostInterfaces;
  /** The agent's address in each family. Where there is none, requests of that family are rejected. */
  readonly hosts: Readonly<Partial<Record<Family, string>>>;
  readonly port: number;
}

/** As both tools write it: `10.0.0.1:8181`, `[fd00::1]:8181`. */
export function destinationText({ hosts, port }: Redirect, family: Family): string | undefined {
  const host = hosts[family];
  if (host === undefined) return undefined;
  return family === 'v4' ? `${host}:${port}` : `[${host}]:${port}`;
}
