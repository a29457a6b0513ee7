export function projectScaling(_o: unknown, _s: unknown): number {
  return 0;
}
