/** Something with the shape of a signed token. */
export function makeToken(claims: unknown): string {
  return [{ alg: 'RS256' }, claims, 'signature']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
}
