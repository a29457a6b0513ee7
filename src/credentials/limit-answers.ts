import { pipeline, Readable, Transform } from 'node:stream';
import type { STSClient } from '@aws-sdk/client-sts';

/**
 * Has a client give an answer up that is longer than `maxBytes`. The SDK reads answers whole, however long they are,
 * and a proxy, or whoever has taken STS's place, must not cost us the process.
 */
export function limitAnswers(client: Pick<STSClient, 'middlewareStack'>, maxBytes: number): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body?: unknown };
      if (response.body instanceof Readable) response.body = limited(response.body, maxBytes);
      return result;
    },
    // Between the connection and what makes sense of the answer.
    { step: 'deserialize', priority: 'low', name: 'limitAnswers' },
  );
}

function limited(body: Readable, maxBytes: number): Readable {
  let length = 0;
  const limit = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      length += chunk.length;
      if (length > maxBytes) done(new Error(`the answer has more than ${maxBytes} bytes`));
      else done(null, chunk);
    },
  });
  // Destroys both where one fails; what went wrong is told to whoever reads.
  return pipeline(body, limit, () => {});
}
