import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compilePermittedExpression } from './permitted-expression.ts';

const app = 'arn:aws:iam::123456789012:role/app';
const appAdmin = 'arn:aws:iam::123456789012:role/app-admin';
const web = 'arn:aws:iam::123456789012:role/web';
const foreign = 'arn:aws:iam::999999999999:role/app';

function permits(expression: string, roleArn: string, strict = true): boolean {
  const compiled = compilePermittedExpression(expression);
  if (compiled.kind === 'invalid') assert.fail(`${expression}: ${compiled.problem}`);
  return compiled.value.matches(roleArn, strict);
}

function problemOf(expression: string): string {
  const compiled = compilePermittedExpression(expression);
  return compiled.kind === 'invalid' ? compiled.problem : 'none';
}

describe('compilePermittedExpression', () => {
  const table: readonly (readonly [expression: string, roleArn: string, strict: boolean, loose: boolean])[] =
    [
      ['.*', app, true, true],
      ['.*', foreign, true, true],
      [app, app, true, true],
      [app, appAdmin, false, true],
      ['role', app, false, true],
      ['.*role/app', app, true, true],
      ['^.*role/app$', app, true, true],
      ['^test-role$', 'arn:aws:iam::123456789012:role/test-role', false, false],
      ['.*/app', foreign, true, true],
      // kiam glued ^ and $ on without a group: both of these were permitted in strict mode.
      [`${app}|${web}`, appAdmin, false, true],
      [`${web}|app`, 'arn:aws:iam::999999999999:role/evil-app', false, true],
      [`${app}|${web}`, app, true, true],
      [`${app}|${web}`, web, true, true],
      // The first alternative that fits is not the one that fits the whole.
      [`${app}|${appAdmin}`, appAdmin, true, true],
      ['', app, false, true],
      ['|.*', app, true, true],
      // Syntax that RE2 has and JavaScript has not.
      ['(?i).*ROLE/APP', app, true, true],
      ['(?P<arn>arn):.*', app, true, true],
      ['\\Aarn:.*app\\z', app, true, true],
      ['\\Qarn:aws:iam::123456789012:role/app\\E', app, true, true],
      ['\\Qarn:aws:iam::123456789012:role/app', app, true, true],
      ['.*[[:alpha:]]', app, true, true],
      ['.*/\\pL+', app, true, true],
      ['arn:aws:iam::[0-9]{12}:role/(app|web)', web, true, true],
      ['(?m)^arn.*$', app, true, true],
      ['(?s).+', app, true, true],
      ['arn:aws:iam::123456789012:role.app', app, true, true],
    ];
  for (const [expression, roleArn, strict, loose] of table) {
    it(`${JSON.stringify(expression)} on ${roleArn.slice(13)}: strict ${strict}, any part ${loose}`, () => {
      assert.equal(permits(expression, roleArn, true), strict);
      assert.equal(permits(expression, roleArn, false), loose);
    });
  }

  it('cannot be broken out of', () => {
    // Valid only between `^(?:` and `)$`; alone they are not expressions, so they permit nothing.
    for (const expression of ['a)|(?:.*', 'a)|(.*', ')|.*|(', 'x)$|^(?:.*']) {
      assert.match(problemOf(expression), /unexpected \)/, expression);
    }
  });

  it('says what is wrong, in a short line without control characters', () => {
    const cases = [
      ['(', /missing closing \)/],
      ['[', /missing closing \]/],
      ['a\\', /trailing backslash/],
      ['*', /missing argument to repetition operator/],
      ['a**', /invalid nested repetition operator/],
      ['a{1001}', /invalid repeat count/],
      ['(?=a)', /invalid/],
      ['(?<!a)b', /invalid/],
      ['(a)\\1', /invalid escape sequence/],
      ['(\n\u001b', /missing closing \): `\(\\u\{a\}\\u\{1b\}`/],
      [`(${'x'.repeat(5_000)}`, /missing closing \)/],
      ['('.repeat(5_000), /nests too deeply|missing closing/],
    ] as const;
    for (const [expression, problem] of cases) {
      const text = problemOf(expression);
      assert.match(text, problem);
      assert.ok(text.length < 200, text);
      assert.doesNotMatch(text, /\p{Cc}/u);
    }
  });

  it('refuses what would take long to compile or to match, before it does', () => {
    for (const expression of [
      'a{1000}'.repeat(500),
      '(a?){1000}'.repeat(400),
      '((a{10}){10}){10}'.repeat(100),
      '\\pL{1000}'.repeat(100),
      '(.{500}){2}'.repeat(30),
      'abcdefghij'.repeat(800),
    ]) {
      assert.match(
        problemOf(expression),
        /too large once its repetitions are written out/,
        expression.slice(0, 20),
      );
    }
    assert.match(problemOf('x'.repeat(16_385)), /has 16385 characters, and at most 16384 are allowed/);
    assert.match(problemOf('('.repeat(256_000)), /has 256000 characters/);
  });

  it('takes long lists of ordinary roles', () => {
    const roles = Array.from({ length: 200 }, (_, i) => `arn:aws:iam::123456789012:role/team/service-${i}`);
    assert.ok(permits(roles.join('|'), roles[137] ?? ''));
    assert.ok(!permits(roles.join('|'), `${roles[19]}0x`));
  });

  it('matches no text that is longer than a role ARN', () => {
    assert.equal(permits('.*', 'x'.repeat(640)), true);
    assert.equal(permits('.*', 'x'.repeat(641)), false);
    assert.equal(permits('.*', 'x'.repeat(1_000_000), false), false);
  });

  it('ends on every expression that makes a backtracking engine run for ever', () => {
    // At 600 characters each of these needs more steps than the universe has had nanoseconds, unless time is linear.
    const long = `${'a'.repeat(600)}!`;
    for (const expression of [
      '(a+)+',
      '(a*)*b',
      '(a|aa)+',
      '(a|a?)+b',
      '(.*)*x',
      '([a-z]+)*x',
      '(x+x+)+y',
      'a?'.repeat(600),
    ]) {
      assert.equal(permits(expression, long), false, expression);
    }
  });

  it('agrees with a plain engine on small expressions, strict and not', () => {
    const { expression } = fc.letrec<{ expression: string; atom: string }>((tie) => ({
      atom: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom('a', 'b', '.', '[ab]', '(?:^)', '(?:$)'),
        tie('expression').map((e) => `(${e})`),
      ),
      expression: fc
        .array(fc.tuple(tie('atom'), fc.constantFrom('', '', '?', '|')), { minLength: 1, maxLength: 4 })
        .map((items) => items.map((item) => item.join('')).join('')),
    }));
    const input = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
    fc.assert(
      fc.property(expression, input, (text, roleArn) => {
        assert.equal(permits(text, roleArn, true), new RegExp(`^(?:${text})$`).test(roleArn), 'strict');
        assert.equal(permits(text, roleArn, false), new RegExp(text).test(roleArn), 'any part');
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws, and what it permits strictly it permits otherwise', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'()[]{}|*+?\\^$.:-,PQE<>=!i019a') }),
    );
    fc.assert(
      fc.property(text, (expression) => {
        const compiled = compilePermittedExpression(expression);
        if (compiled.kind === 'ok' && compiled.value.matches(app, true)) {
          assert.ok(compiled.value.matches(app, false));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
