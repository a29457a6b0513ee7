import { readFileSync } from 'node:fs';

/**
 * The interfaces that lead out of this host: those of its default routes, of both families. Packets of pods arrive
 * through the others, whatever the CNI calls them.
 *
 * @param read the text of a file, or nothing if there is no such file
 */
export function defaultRouteInterfaces(read: (path: string) => string = readOrNothing): readonly string[] {
  const v4 = rowsOf(read('/proc/net/route'))
    .filter(([, destination, , flags, , , , mask]) => isZero(destination) && isZero(mask) && isUp(flags))
    .map(([name]) => name);
  const v6 = rowsOf(read('/proc/net/ipv6_route'))
    .filter((row) => isZero(row[0]) && row[1] === '00' && isUp(row[8]))
    .map((row) => row[9]);
  // IPv6 has a default route that refuses, through the loopback interface.
  return [...new Set([...v4, ...v6])].filter((name) => name !== undefined && name !== 'lo') as string[];
}

function rowsOf(text: string): (readonly (string | undefined)[])[] {
  return text.split('\n').map((line) => line.trim().split(/\s+/));
}

function isZero(hex: string | undefined): boolean {
  return hex !== undefined && /^0+$/.test(hex);
}

/** RTF_UP, and not RTF_REJECT (linux/route.h). */
function isUp(flags: string | undefined): boolean {
  const value = Number.parseInt(flags ?? '', 16);
  return (value & 0x1) !== 0 && (value & 0x200) === 0;
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
