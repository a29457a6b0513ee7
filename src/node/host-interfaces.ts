import { PodpassError } from '../base/errors.ts';

/** One interface (`docker0`), or all whose names begin alike (`cali+`, as iptables writes it). */
export interface InterfacePattern {
  readonly stem: string;
  readonly isPrefix: boolean;
}

/** The interfaces through which pods' packets arrive: those named, or all but those named. */
export interface HostInterfaces {
  readonly kind: 'only' | 'except';
  readonly patterns: readonly InterfacePattern[];
}

/** The kernel allows more, but nobody uses it, and these need no quoting anywhere. */
const nameForm = /^[A-Za-z0-9_.@:-]{0,15}$/;

/**
 * Reads `--host-interface`: `cali+`, `!eth0`, or a list. `!eth0,!eth1` is every interface but these two. A list that
 * names some and excludes others is refused: which of the two an interface falls under could not be seen from it.
 *
 * @throws PodpassError ERR_USAGE
 */
export function parseHostInterfaces(list: readonly string[]): HostInterfaces {
  const parts = list.map((part) => part.trim()).filter((part) => part !== '');
  if (parts.length === 0) throw usage('it is empty. Name the interface of the pods, such as cali+ or !eth0.');
  const excluded = parts.filter((part) => part.startsWith('!'));
  if (excluded.length > 0 && excluded.length < parts.length) {
    throw usage(
      `"${parts.join(',')}" names interfaces and excludes others. Give names alone (cali+,eni+) or exclusions alone (!eth0,!eth1).`,
    );
  }
  const patterns = parts.map(parsePattern);
  const isAny = ({ stem }: InterfacePattern) => stem === '';
  if (excluded.length === 0) {
    return patterns.some(isAny) ? { kind: 'except', patterns: [] } : { kind: 'only', patterns };
  }
  if (patterns.some(isAny)) throw usage('"!+" excludes every interface.');
  return { kind: 'except', patterns };
}

function parsePattern(part: string): InterfacePattern {
  const name = part.startsWith('!') ? part.slice(1).trim() : part;
  const isPrefix = name.endsWith('+');
  const stem = isPrefix ? name.slice(0, -1) : name;
  if (nameForm.test(stem) && (isPrefix || stem !== '')) return { stem, isPrefix };
  throw usage(
    `${JSON.stringify(part)} is not the name of an interface. Names have up to 15 letters, digits, "_", ".", "-", ":" or "@", and may end in "+".`,
  );
}

function usage(problem: string): PodpassError {
  return new PodpassError('ERR_USAGE', `--host-interface cannot be used: ${problem}`);
}

/** As iptables writes it. */
export function patternText({ stem, isPrefix }: InterfacePattern): string {
  return isPrefix ? `${stem}+` : stem;
}

/** As the flag takes it. */
export function hostInterfacesText({ kind, patterns }: HostInterfaces): string {
  if (patterns.length === 0) return '+';
  return patterns.map((pattern) => `${kind === 'except' ? '!' : ''}${patternText(pattern)}`).join(',');
}

/** Whether packets that arrive through this interface are a pod's. Never so for the loopback interface. */
export function isPodInterface({ kind, patterns }: HostInterfaces, name: string): boolean {
  if (name === 'lo') return false;
  return patterns.some((pattern) => matches(pattern, name)) === (kind === 'only');
}

/** The patterns that fit no interface there is. */
export function unmatchedPatterns(
  { patterns }: HostInterfaces,
  names: readonly string[],
): readonly InterfacePattern[] {
  return patterns.filter((pattern) => !names.some((name) => matches(pattern, name)));
}

function matches({ stem, isPrefix }: InterfacePattern, name: string): boolean {
  return isPrefix ? name.startsWith(stem) : name === stem;
}
