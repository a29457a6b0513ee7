/** One HTTP answer, read strictly. */
export interface StrictAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/**
 * Reads bytes as answers that follow each other and nothing else (RFC 9112): a status line, headers of which none
 * stands twice, a length, and as many bytes. An answer to HEAD has a length and no body; which those are is not known
 * here, so either reading will do.
 *
 * @param bodiless whether answers without their body are possible
 * @returns undefined when there is no such reading
 */
export function readAnswers(text: string, bodiless: boolean): readonly StrictAnswer[] | undefined {
  if (text === '') return [];
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const [, status] = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]+$/.exec(statusLine) ?? [];
  if (status === undefined) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+): ([\t\x20-\x7e]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || headers.has(name.toLowerCase())) return undefined;
    headers.set(name.toLowerCase(), value);
  }
  const rest = text.slice(end + 4);
  const isInterim = status === '100';
  const announced = headers.get('content-length');
  // Only an answer to HEAD may leave out how long it would be.
  const unknown = announced === undefined && (isInterim || bodiless) ? 0 : -1;
  const length = announced !== undefined && /^\d{1,9}$/.test(announced) ? Number(announced) : unknown;
  if (length < 0) return undefined;
  for (const taken of bodiless && length > 0 ? [length, 0] : [length]) {
    if (taken > rest.length) continue;
    const others = readAnswers(rest.slice(taken), bodiless);
    if (others) return [{ status: Number(status), headers, body: rest.slice(0, taken) }, ...others];
  }
  return undefined;
}
