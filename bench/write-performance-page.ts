export function writePerformancePage(_s: unknown): number {
  return 0;
}
