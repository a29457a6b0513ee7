import type { Random } from '../base/random.ts';
import { cleanText } from './clean-text.ts';

/** The API's limits for core/v1 events. */
const maxMessageBytes = 1_024;
const maxNameLength = 253;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A message fit for an event: one line, no control characters, at most 1,024 bytes. */
export function eventMessage(text: string): string {
  return cleanText(text, maxMessageBytes);
}

/**
 * `<object's name>.<16 hex digits>`, as client-go names events, at most 253 characters: a long name is cut, and a name
 * that the API would not take (an object's name may hold what an event's may not) is left away.
 */
export function eventName(objectName: string, random: Random): string {
  const suffix = Buffer.from(random.bytes(8)).toString('hex');
  const prefix = objectName.slice(0, maxNameLength - suffix.length - 1).replace(/[-.]+$/, '');
  return `${dnsSubdomain.test(prefix) ? prefix : 'podpass'}.${suffix}`;
}

/** The time as the API writes it: RFC 3339 in whole seconds. */
export function eventTime(epochMillis: number): string {
  return `${new Date(epochMillis).toISOString().slice(0, 19)}Z`;
}
