/** re2js searches the rest of the text for the end of a class's name that has none, each time. Nobody needs many. */
const fewNames = 16;
const unendedName = 100;
/** Far above what anybody compiles. One item counts no more, or those that multiply it further would reach infinity. */
const mostOfAnItem = 1e9;

/**
 * How many instructions an expression in RE2's syntax compiles to, at most. Counted ahead of compiling, because
 * `a{1000}` written 500 times is 3.5 kB of text and takes seconds and hundreds of megabytes to compile.
 *
 * Each character, class or assertion is one; a group, an alternative and a `*` add to that (a `*` two: RE2 makes
 * `(x+)?` of it where x may be empty); a counted repetition multiplies. What is no valid expression gets some number, and
 * the compiler refuses it. Looks at each character a bounded number of times: a regular expression of JavaScript's would
 * not be safe here.
 */
export function expressionCost(expression: string): number {
  const outer: Frame[] = [];
  let frame = newFrame();
  /** Set once no `:]` follows, so that it is not searched for again behind each `[:`. */
  let noMoreNames = false;
  let unendedNames = 0;

  /** `at` is behind the opening bracket of a class; returns where the class ends. */
  function skipClass(at: number): number {
    let i = at;
    if (expression[i] === '^') i++;
    // A closing bracket in first place is one of the characters.
    if (expression[i] === ']') i++;
    while (i < expression.length && expression[i] !== ']') {
      if (expression[i] === '\\') i += 2;
      else if (expression.startsWith('[:', i)) {
        const nameEnd = noMoreNames ? -1 : expression.indexOf(':]', i + 2);
        noMoreNames = nameEnd === -1;
        if (noMoreNames && ++unendedNames > fewNames) push(frame, unendedName);
        i = noMoreNames ? i + 1 : nameEnd + 2;
      } else i++;
    }
    return i + 1;
  }

  let i = 0;
  while (i < expression.length) {
    const character = expression[i];
    if (character === '\\' && expression[i + 1] === 'Q') {
      const found = expression.indexOf('\\E', i + 2);
      const end = found === -1 ? expression.length : found;
      for (let quoted = i + 2; quoted < end; quoted++) push(frame, 1);
      i = end + 2;
    } else if (character === '\\') {
      push(frame, 1);
      i += stickyLength(hexEscape, expression, i) || 2;
    } else if (character === '[') {
      push(frame, 1);
      i = skipClass(i + 1);
    } else if (character === '(') {
      const flags = stickyLength(flagsOnly, expression, i);
      // `(?i)` is not an item: a repetition behind it applies to what stands before.
      if (flags === 0) {
        outer.push(frame);
        frame = newFrame();
      }
      i += flags || stickyLength(opening, expression, i);
    } else if (character === ')') {
      const enclosing = outer.pop();
      // One that closes nothing is a character here, and the compiler refuses it.
      const group = enclosing ? total(frame) : 1;
      frame = enclosing ?? frame;
      push(frame, group);
      i++;
    } else if (character === '{') {
      const length = stickyLength(counted, expression, i);
      if (length === 0) push(frame, 1);
      else repeat(frame, expression.slice(i + 1, i + length - 1));
      i += length || 1;
    } else {
      if (character === '|') push(frame, 2);
      else if (character === '*') frame.last += 2;
      else if (character === '+' || character === '?') frame.last += 1;
      else push(frame, 1);
      i++;
    }
  }
  return outer.reduce((sum, open) => sum + total(open), total(frame));
}

/** One group that is open: what is complete in it, and its last item, to which a repetition would apply. */
interface Frame {
  done: number;
  last: number;
}

/** The start and the end of a group, and of the whole, and a place to go on from where nothing stands in it. */
function newFrame(): Frame {
  return { done: 3, last: 0 };
}

function total(frame: Frame): number {
  return frame.done + frame.last;
}

function push(frame: Frame, cost: number): void {
  frame.done += frame.last;
  frame.last = Math.min(cost, mostOfAnItem);
}

/** `n`, `n,` or `n,m`: each copy that may be left out takes one instruction more; `0,` is a `*`. */
function repeat(frame: Frame, counts: string): void {
  const [least = '', most] = counts.split(',');
  const min = countOf(least);
  const max = most ? countOf(most) : min;
  const copies = Math.max(frame.last, 1) * Math.max(max, min, 1);
  frame.last = Math.min(copies + Math.max(max - min, 0) + (most === '' ? 2 : 0), mostOfAnItem);
}

/** RE2 takes no more than a thousand. Digits without end are a number all the same, and not beyond all of them. */
function countOf(digits: string): number {
  return Math.min(Number(digits), mostOfAnItem);
}

const hexEscape = /\\[xpP]\{[0-9A-Za-z_^]*\}/y;
const flagsOnly = /\(\?[a-zA-Z-]*\)/y;
const opening = /\((?:\?(?:P?<\w*>|[a-zA-Z-]*:))?/y;
const counted = /\{\d+(?:,\d*)?\}/y;

/** How many characters from `at` on a sticky pattern takes; 0 for none. */
function stickyLength(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex - at : 0;
}
