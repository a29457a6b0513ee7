/** The last input of a thread, where another thread can read it while the first is busy with it. */
export interface Mailbox {
  put(input: Uint8Array): void;
  /** How many have been put. */
  readonly count: number;
  /** The last one; cut if it was longer than the mailbox. */
  last(): Uint8Array;
}

const headBytes = 8;
const roomBytes = 1 << 20;

export function createMailboxBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + roomBytes);
}

export function createMailbox(buffer: SharedArrayBuffer): Mailbox {
  const head = new Uint32Array(buffer, 0, 2);
  const room = new Uint8Array(buffer, headBytes);
  return {
    put(input) {
      const bytes = input.length > room.length ? input.subarray(0, room.length) : input;
      room.set(bytes);
      head[1] = bytes.length;
      Atomics.add(head, 0, 1);
    },
    get count() {
      return Atomics.load(head, 0);
    },
    last: () => Uint8Array.from(room.subarray(0, head[1])),
  };
}
