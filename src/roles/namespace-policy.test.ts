import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createNamespacePolicy } from './namespace-policy.ts';
import { ok } from './parsed.ts';
import { compilePermittedExpression } from './permitted-expression.ts';
import type { RoleRule } from './role-rule.ts';

const app = 'arn:aws:iam::123456789012:role/app';
/** kiam's annotation, over the whole ARN. */
function compile(text: string) {
  const compiled = compilePermittedExpression(text);
  if (compiled.kind === 'invalid') return compiled;
  const { cost, matches } = compiled.value;
  return ok<RoleRule>({ cost, permits: (arn) => matches(arn, true) });
}
const strict = { compile };

describe('createNamespacePolicy', () => {
  it('permits nothing where the annotation is empty', () => {
    const policy = createNamespacePolicy(strict);
    assert.deepEqual(policy.judge('', app), { kind: 'missing' });
    assert.equal(policy.held, 0);
  });

  it('asks the compiled annotation', () => {
    assert.equal(createNamespacePolicy(strict).judge('role', app).kind, 'no-match');
    assert.equal(createNamespacePolicy(strict).judge('.*role/app', app).kind, 'permitted');
  });

  it('refuses an expression that cannot be compiled, with the reason', () => {
    const verdict = createNamespacePolicy(strict).judge('(', app);
    assert.ok(verdict.kind === 'invalid');
    assert.match(verdict.problem, /missing closing \)/);
  });

  it('holds one entry for each text, whichever namespace it came from, valid or not', () => {
    const policy = createNamespacePolicy(strict);
    for (const expression of ['.*', '(', `.${'*'}`, '(', 'a']) policy.judge(expression, app);
    assert.equal(policy.held, 3);
  });

  it('judges each role by itself, also the hundredth', () => {
    const policy = createNamespacePolicy(strict);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 200; i++) {
        const expected = i % 10 === 7 ? 'permitted' : 'no-match';
        assert.equal(policy.judge('.*-[0-9]*7', `${app}-${i}`).kind, expected, String(i));
      }
    }
  });

  it('forgets what was not used for longest when it holds too much', () => {
    const policy = createNamespacePolicy({ compile, maxHeldCost: 640 });
    for (let i = 0; i < 10; i++) policy.judge(`a${i}`, app);
    assert.equal(policy.held, 10);
    policy.judge('b', app);
    assert.equal(policy.held, 10);
    // A large one takes the place of many small ones.
    policy.judge('x'.repeat(500), app);
    assert.equal(policy.held, 3);
    // One that is larger than all the room is used, and makes room for the next.
    policy.judge('y'.repeat(5_000), app);
    assert.equal(policy.held, 1);
    policy.judge('c', app);
    assert.equal(policy.held, 1);
  });

  it('stays small, whatever is asked of it', () => {
    const policy = createNamespacePolicy({ compile, maxHeldCost: 1_000 });
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (expression) => {
        policy.judge(expression, app);
        assert.ok(policy.held <= 1_000 / 64 + 1);
      }),
    );
  });

  it('gives the same verdict with room for one expression as with room for all', () => {
    const small = createNamespacePolicy({ compile, maxHeldCost: 1 });
    const large = createNamespacePolicy(strict);
    const expression = fc.constantFrom('.*', '.*app', '(', '', app, 'role', 'a|.*-2');
    const roleArn = fc.constantFrom(app, `${app}-1`, `${app}-2`);
    fc.assert(
      fc.property(fc.array(fc.tuple(expression, roleArn)), (questions) => {
        for (const [text, arn] of questions) assert.deepEqual(small.judge(text, arn), large.judge(text, arn));
      }),
    );
  });
});
