/** What became of a chunk of bytes: the objects whose lines are complete now, and what ended the reading, if anything did. */
export interface JsonLines {
  readonly objects: readonly unknown[];
  readonly fault?: 'malformed' | 'oversized';
}

export interface JsonLineReader {
  /** After a fault nothing more is read. */
  push(chunk: Buffer): JsonLines;
  /** Whether bytes of a line that has not ended are held. */
  readonly partial: boolean;
}

const newline = 0x0a;

/**
 * Cuts a stream of bytes into lines and parses each as JSON, as the watch protocol has it. A line above
 * `maxLineBytes` is a fault before it is held whole. Empty lines are skipped.
 */
export function createJsonLineReader(maxLineBytes: number): JsonLineReader {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let fault: JsonLines['fault'];

  /** The line that ends at `end` of the chunk, put together from what was held. */
  function takeLine(chunk: Buffer, start: number, end: number): string {
    if (heldBytes === 0) return chunk.toString('utf8', start, end);
    const line = Buffer.concat([...held, chunk.subarray(start, end)]).toString('utf8');
    held = [];
    heldBytes = 0;
    return line;
  }

  function fail(found: NonNullable<JsonLines['fault']>, objects: unknown[]): JsonLines {
    fault = found;
    held = [];
    heldBytes = 0;
    return { objects, fault };
  }

  return {
    push(chunk) {
      const objects: unknown[] = [];
      if (fault) return { objects, fault };
      let start = 0;
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        if (heldBytes + end - start > maxLineBytes) return fail('oversized', objects);
        const line = takeLine(chunk, start, end);
        start = end + 1;
        if (line.trim() === '') continue;
        try {
          objects.push(JSON.parse(line));
        } catch {
          return fail('malformed', objects);
        }
      }
      if (start < chunk.length) {
        heldBytes += chunk.length - start;
        if (heldBytes > maxLineBytes) return fail('oversized', objects);
        // A slice would keep the whole chunk alive for the sake of its end.
        held.push(Buffer.from(chunk.subarray(start)));
      }
      return { objects };
    },
    get partial() {
      return heldBytes > 0;
    },
  };
}
