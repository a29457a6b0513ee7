import { posix } from 'node:path';

/**
 * A path decoded once and cleaned, by other means than the product's: Node's own path library, on bytes that are
 * decoded one at a time. Undefined for what is no percent-encoded UTF-8.
 */
export function referenceClean(path: string): string | undefined {
  const bytes: number[] = [];
  const text = Buffer.from(path);
  for (let i = 0; i < text.length; i++) {
    const byte = text[i] ?? 0;
    const hex = text.subarray(i + 1, i + 3).toString('latin1');
    if (byte === 0x25 && !/^[0-9a-fA-F]{2}$/.test(hex)) return undefined;
    bytes.push(byte === 0x25 ? Number.parseInt(hex, 16) : byte);
    if (byte === 0x25) i += 2;
  }
  let decoded: string;
  try {
    decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
  const clean = posix.normalize(`/${decoded}`);
  // A path that ends in a dot segment names a folder; normalize() drops the slash.
  return /\/\.{1,2}$/.test(decoded) && !clean.endsWith('/') ? `${clean}/` : clean;
}
