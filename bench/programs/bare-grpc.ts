// The floor of kiam's service: a grpc-js server over mutual TLS that reads no message and answers the same bytes.

import { readFileSync } from 'node:fs';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { keepHeapSmall } from '../../src/commands/small-heap.ts';
import type { TlsFiles } from '../cloud/protocol.ts';
import { input, say } from './say.ts';

export interface BareGrpcInput {
  readonly tls: TlsFiles;
  /** `/kiam.KiamService/GetPodCredentials` */
  readonly path: string;
  readonly responseBase64: string;
}

keepHeapSmall();
const { tls, path, responseBase64 } = input<BareGrpcInput>();
const response = Buffer.from(responseBase64, 'base64');
const asItIs = (bytes: Buffer) => bytes;
// The library's debug service costs time with every call, and podpass turns it off.
const server = new Server({ 'grpc.enable_channelz': 0 });
server.addService(
  {
    call: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    },
  },
  { call: (_: unknown, respond: (error: null, bytes: Buffer) => void) => respond(null, response) },
);
const credentials = ServerCredentials.createSsl(
  readFileSync(tls.ca),
  [{ cert_chain: readFileSync(tls.cert), private_key: readFileSync(tls.key) }],
  true,
);
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) throw error;
  say({ port });
});
