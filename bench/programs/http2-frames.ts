/** What a load generator needs of HTTP/2 (RFC 9113) and HPACK (RFC 7541), and no more. */

export const frames = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;

/** ACK and END_STREAM share a bit, on different frames. */
export const flags = { ack: 1, endStream: 1, endHeaders: 4 } as const;

const empty = Buffer.alloc(0);

export function frame(type: number, flag: number, stream: number, payload: Buffer = empty): Buffer {
  const bytes = Buffer.allocUnsafe(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt8(flag, 4);
  bytes.writeUInt32BE(stream, 5);
  payload.copy(bytes, 9);
  return bytes;
}

/** How a client begins: its first words, and settings that give every stream `window` bytes. */
export function preface(window: number): Buffer {
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(4, 0);
  setting.writeUInt32BE(window, 2);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(frames.settings, 0, 0, setting),
  ]);
}

/** Gives the whole connection so many bytes more. */
export function windowUpdate(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(frames.windowUpdate, 0, 0, payload);
}

/** A header block in which every field is a literal that nobody remembers: the same bytes on each stream. */
export function headers(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length > 126) throw new Error(`the header is too long: ${value}`);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** A message of gRPC, not compressed. */
export function data(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Cuts what arrives into frames, whole ones only. */
export function createFrameReader(
  onFrame: (type: number, flag: number, stream: number, payload: Buffer) => void,
): (chunk: Buffer) => void {
  let rest: Buffer = empty;
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 9) {
      const end = at + 9 + bytes.readUIntBE(at, 3);
      if (bytes.length < end) break;
      const payload = bytes.subarray(at + 9, end);
      onFrame(
        bytes.readUInt8(at + 3),
        bytes.readUInt8(at + 4),
        bytes.readUInt32BE(at + 5) & 0x7fffffff,
        payload,
      );
      at = end;
    }
    rest = bytes.subarray(at);
  };
}
