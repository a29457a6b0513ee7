const request =
  /(GET|HEAD) (\/[\w/.-]*) HTTP\/1\.1\r\n((?:[A-Za-z]+(?:-[A-Za-z\d]+)*: [\w.][\w .:/-]*\r\n)*)\r\n/y;
/** Headers that say where a request ends, or what becomes of the connection. */
const special =
  /^(?:content-length|transfer-encoding|connection|keep-alive|proxy-connection|expect|upgrade|te|trailer):/im;

/**
 * Whether bytes are requests so plain that nobody can read them in two ways, one behind the other and nothing else.
 *
 * @returns their targets, or undefined
 */
export function plainRequests(bytes: Uint8Array): readonly string[] | undefined {
  const text = Buffer.from(bytes).toString('latin1');
  const targets: string[] = [];
  request.lastIndex = 0;
  while (request.lastIndex < text.length) {
    const [, , target, headers = ''] = request.exec(text) ?? [];
    if (target === undefined || special.test(headers)) return undefined;
    targets.push(target);
  }
  return targets;
}
