/** A regular expression by its meaning: from which places of the text to which it leads. */
type Expression = (text: readonly string[], from: ReadonlySet<number>) => ReadonlySet<number>;

/**
 * Whether the whole text matches, by a way that shares nothing with the product's engine: sets of places. For a part
 * of RE2's syntax; undefined for what is not in that part, or is no expression.
 *
 * The part: characters, `.`, `\` before punctuation, classes of letters, digits and ranges, groups, `|`, `*`, `+`, `?`.
 */
export function referenceMatches(expression: string, text: string): boolean | undefined {
  const parsed = parse(expression);
  if (!parsed) return undefined;
  const characters = Array.from(text);
  return parsed(characters, new Set([0])).has(characters.length);
}

const nothing: Expression = (_, from) => from;

function one(test: (character: string) => boolean): Expression {
  return (text, from) => {
    const to = new Set<number>();
    for (const at of from) {
      const character = text[at];
      if (character !== undefined && test(character)) to.add(at + 1);
    }
    return to;
  };
}

const sequence =
  (first: Expression, second: Expression): Expression =>
  (text, from) =>
    second(text, first(text, from));
const either =
  (first: Expression, second: Expression): Expression =>
  (text, from) =>
    new Set([...first(text, from), ...second(text, from)]);
const many =
  (inner: Expression): Expression =>
  (text, from) => {
    let reached = from;
    for (;;) {
      const next = new Set([...reached, ...inner(text, reached)]);
      if (next.size === reached.size) return next;
      reached = next;
    }
  };

function parse(expression: string): Expression | undefined {
  const characters = Array.from(expression);
  let at = 0;

  function alternatives(depth: number): Expression | undefined {
    let whole = concatenation(depth);
    while (whole && characters[at] === '|') {
      at += 1;
      const next = concatenation(depth);
      whole = next && either(whole, next);
    }
    return whole;
  }

  function concatenation(depth: number): Expression | undefined {
    let whole: Expression = nothing;
    while (at < characters.length && characters[at] !== '|' && characters[at] !== ')') {
      const atom = repeated(depth);
      if (!atom) return undefined;
      whole = sequence(whole, atom);
    }
    return whole;
  }

  function repeated(depth: number): Expression | undefined {
    const inner = item(depth);
    if (!inner) return undefined;
    const operator = characters[at] ?? '';
    if (!'*+?'.includes(operator) || operator === '') return inner;
    at += 1;
    // A second operator means something else, or nothing.
    if ('*+?'.includes(characters[at] ?? 'x')) return undefined;
    if (operator === '?') return either(nothing, inner);
    return operator === '*' ? many(inner) : sequence(inner, many(inner));
  }

  function item(depth: number): Expression | undefined {
    const character = characters[at++] ?? '';
    if (character === '(') {
      if (characters[at] === '?' || depth > 50) return undefined;
      const inner = alternatives(depth + 1);
      if (!inner || characters[at++] !== ')') return undefined;
      return inner;
    }
    if (character === '[') return classOf();
    if (character === '.') return one((found) => found !== '\n');
    if (character === '\\') {
      const escaped = characters[at++] ?? '';
      return /^[-.:/*+?()[\]{}|^$\\@=,]$/.test(escaped) ? one((found) => found === escaped) : undefined;
    }
    return '*+?^$]{}'.includes(character) ? undefined : one((found) => found === character);
  }

  function classOf(): Expression | undefined {
    const end = characters.indexOf(']', at);
    if (end < 0) return undefined;
    const body = characters.slice(at, end).join('');
    at = end + 1;
    const [, caret, members = ''] = /^(\^?)((?:[A-Za-z]-[A-Za-z]|\d-\d|[\w./:])+)$/.exec(body) ?? [];
    if (members === '') return undefined;
    const ranges = [...members.matchAll(/([A-Za-z])-([A-Za-z])|(\d)-(\d)|([\w./:])/g)].map(
      ([, a, b, c, d, e]) => [a ?? c ?? e ?? '', b ?? d ?? e ?? ''] as const,
    );
    if (ranges.some(([low, high]) => low > high)) return undefined;
    const isMember = (found: string) => ranges.some(([low, high]) => found >= low && found <= high);
    // RE2 and Go let [^…] match a line feed.
    return one((found) => isMember(found) !== (caret === '^'));
  }

  const whole = alternatives(0);
  return at === characters.length ? whole : undefined;
}

/** Whether the whole text matches a glob in which `*` is any run of characters: for each beginning of both, in turn. */
export function referenceGlob(glob: string, text: string): boolean {
  // reached[i]: the glob up to here matches the first i characters.
  let reached = Array.from({ length: text.length + 1 }, (_, i) => i === 0);
  for (let at = 0; at < glob.length; at++) {
    const isStar = glob[at] === '*';
    const next = reached.map(() => false);
    for (let i = 0; i <= text.length; i++) {
      const before = i > 0 && (isStar ? next[i - 1] : reached[i - 1] && glob[at] === text[i - 1]);
      next[i] = (isStar && reached[i] === true) || before === true;
    }
    reached = next;
  }
  return reached[text.length] === true;
}
