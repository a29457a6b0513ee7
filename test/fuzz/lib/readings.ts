/** How whatever stands behind podpass may read a path: decoding again, cutting, dropping, folding. */
const ways: readonly ((path: string) => string)[] = [
  (path) => path,
  decoded,
  (path) => decoded(decoded(path)),
  (path) => path.replaceAll('+', ' ').trim(),
  (path) => path.replaceAll(/;[^/]*/g, ''),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.split('\0', 1)[0] ?? '',
  (path) => path.replaceAll('../', '').replaceAll('./', ''),
  (path) => path.replaceAll('..', ''),
  (path) => path.replaceAll(/[^\w/-]/g, ''),
  (path) => path.replaceAll(/[:@=,+].*$/g, ''),
  (path) => path.replaceAll(/\/+/g, '/'),
  (path) => path.normalize('NFKC'),
  (path) => path.replaceAll('_', '-'),
];

/** Each way, and each behind another. */
export function readings(path: string): ReadonlySet<string> {
  const once = ways.map((way) => way(path));
  return new Set(once.flatMap((text) => ways.map((way) => way(text))));
}

export function isNearCredentials(path: string): boolean {
  return /security-?credentials|identity-?credentials|api\/?token/i.test(path);
}

function decoded(path: string): string {
  return path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
