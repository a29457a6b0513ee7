export async function measureScaling(_o: unknown, _s: unknown): Promise<number> {
  return 0;
}
