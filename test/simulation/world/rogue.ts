import { Metadata } from '@grpc/grpc-js';
import { setBearer } from '../../../src/wire/bearer-token.ts';
import * as podpass from '../../../src/wire/gen/podpass.ts';
import { dialBroker } from './grpc.ts';
import type { Party } from './network.ts';
import type { World, WorldNode } from './world.ts';

/**
 * Whoever took over an agent asks a server for another node's pods, with what that agent has to show. What it is given
 * is written down.
 */
export function askAsRogue(world: World, from: WorldNode, about: WorldNode, address: string): void {
  const { runtime, serverPlaces } = world;
  const to = serverPlaces.map((place) => world.serverAt(place)).find((server) => server !== undefined);
  if (!to) return;
  const { network, clock, recorder } = runtime;
  const rogue: Party = { name: `rogue-${from.name}`, place: from.name, isListening: false, isDead: false };
  const client = dialBroker({
    network,
    from: rogue,
    ip: from.ip,
    to,
    moment: recorder.moment,
    onDelivery({ pods = [] }) {
      for (const { uid, session } of pods)
        recorder.leak({
          at: clock.monotonic(),
          server: to.name,
          node: from.name,
          podUid: uid,
          hasCredentials: session?.state?.$case === 'issued',
        });
    },
  });
  const metadata = new Metadata();
  const token = world.tokenOf(from);
  if (token !== undefined) setBearer(metadata, token);
  const node = { nodeName: about.name, hostIp: '' };
  const { path, requestSerialize, responseDeserialize } = podpass.BrokerService.watchNode;
  const request = { node, inTouch: false, seen: undefined };
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata);
  call.on('error', () => {});
  client.findPod({ node, address, waitMillis: 500 }, metadata, () => {});
  clock.setTimer(10_000, () => client.close());
}
