import { Transform } from 'node:stream';

const put = Buffer.from('PUT ');
const headEnd = Buffer.from('\r\n\r\n');

/**
 * Lets the requests of one HTTP/1.1 connection through until one is a PUT; then it emits `refused` and lets nothing
 * more through. It relies on all other requests having no body, which is so for the metadata service.
 */
export function createPutGuard(): Transform {
  // The beginning of a request that might yet become a PUT.
  let start = Buffer.alloc(0);
  let inHead = false;
  // How many bytes of the blank line that ends a head have been seen, across chunks.
  let seen = 0;
  let refused = false;

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest = start.length > 0 ? Buffer.concat([start, chunk]) : chunk;
      const passed = rest;
      start = Buffer.alloc(0);
      let length = 0;
      while (rest.length > 0 && !refused) {
        if (!inHead) {
          const compared = Math.min(rest.length, put.length);
          if (rest.subarray(0, compared).equals(put.subarray(0, compared))) {
            if (compared === put.length) refused = true;
            else start = Buffer.from(rest);
            break;
          }
          inHead = true;
          seen = 0;
        }
        const end = findHeadEnd(rest);
        length += end;
        rest = rest.subarray(end);
      }
      const out = passed.subarray(0, length);
      if (refused) {
        this.emit('refused');
        done();
        return;
      }
      done(null, out);
    },
    flush(done) {
      done(null, start);
    },
  });

  /** How many bytes belong to the head that is being read; ends it when its last is among them. */
  function findHeadEnd(bytes: Buffer): number {
    for (let at = 0; at < bytes.length; at++) {
      seen = bytes[at] === headEnd[seen] ? seen + 1 : bytes[at] === headEnd[0] ? 1 : 0;
      if (seen === headEnd.length) {
        inHead = false;
        return at + 1;
      }
    }
    return bytes.length;
  }
}
