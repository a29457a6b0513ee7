import type { Broker } from '../broker/broker.ts';
import type { RemoteFeed } from './remote-feed.ts';

export interface AgentBrokerOptions {
  readonly feed: Pick<RemoteFeed, 'status'>;
  /** Over what the feed put into the agent's memory. */
  readonly fed: Broker;
  /** Asks kiam's servers for each request. */
  readonly kiam: Broker;
}

/** The broker of an agent: from memory, except while every server that answers is one of kiam's. */
export function createAgentBroker({ feed, fed, kiam }: AgentBrokerOptions): Broker {
  const chosen = () => (feed.status.kind === 'kiam' ? kiam : fed);
  return {
    ask: (address) => chosen().ask(address),
    askPatiently: (address, options) => chosen().askPatiently(address, options),
  };
}
