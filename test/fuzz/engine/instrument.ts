import ts from 'typescript';
import { feedbackKey } from './feedback.ts';

export interface Instrumented {
  /** JavaScript, with a source map at its end. */
  readonly code: string;
  readonly points: number;
  /** Short texts that stand in the source. */
  readonly literals: readonly string[];
}

/** The names that instrumented code uses; no file of ours has these. */
const counters = '__fuzzCounters';
const same = '__fuzzSame';

/**
 * Takes the types out of a file and counts each way through it: functions, branches, bodies of loops, cases, the
 * right sides of `&&`, `||` and `??`. `===` and `!==` go through a function that notes texts which differ.
 *
 * @param first the number of the file's first point, which `reserve` hands out once they have been counted
 */
export function instrument(path: string, source: string, reserve: (points: number) => number): Instrumented {
  let points = 0;
  const literals = new Set<string>();

  const transformer: ts.TransformerFactory<ts.SourceFile> = (context) => {
    const { factory } = context;
    const hit = () =>
      factory.createPostfixIncrement(
        factory.createElementAccessExpression(factory.createIdentifier(counters), pointAt(points++)),
      );
    /** `base + n`, of which the base is known only when the whole file has been seen. */
    const pointAt = (n: number) =>
      factory.createAdd(factory.createIdentifier(`${counters}Base`), factory.createNumericLiteral(n));
    const counted = (expression: ts.Expression) =>
      factory.createParenthesizedExpression(factory.createComma(hit(), expression));
    const countedBlock = (statement: ts.Statement | undefined) => {
      const rest = statement === undefined ? [] : ts.isBlock(statement) ? statement.statements : [statement];
      return factory.createBlock([factory.createExpressionStatement(hit()), ...rest], true);
    };
    const countedBody = <T extends ts.ConciseBody>(body: T): ts.ConciseBody =>
      ts.isBlock(body) ? countedBlock(body) : counted(body);

    const visit = (node: ts.Node): ts.Node => {
      if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node))
        return node;
      if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node;
      if (ts.isStringLiteralLike(node)) noteLiteral(node.text, literals);
      const seen = ts.visitEachChild(node, visit, context);
      return count(seen);
    };
    const count = (node: ts.Node): ts.Node => {
      if (ts.isFunctionDeclaration(node) && node.body) {
        const { modifiers, asteriskToken, name, typeParameters, parameters, type } = node;
        const body = countedBlock(node.body);
        return factory.updateFunctionDeclaration(
          node,
          modifiers,
          asteriskToken,
          name,
          typeParameters,
          parameters,
          type,
          body,
        );
      }
      if (ts.isFunctionExpression(node)) {
        const { modifiers, asteriskToken, name, typeParameters, parameters, type } = node;
        const body = countedBlock(node.body);
        return factory.updateFunctionExpression(
          node,
          modifiers,
          asteriskToken,
          name,
          typeParameters,
          parameters,
          type,
          body,
        );
      }
      if (ts.isArrowFunction(node)) {
        const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken } = node;
        const body = countedBody(node.body);
        return factory.updateArrowFunction(
          node,
          modifiers,
          typeParameters,
          parameters,
          type,
          equalsGreaterThanToken,
          body,
        );
      }
      if (ts.isMethodDeclaration(node) && node.body) {
        const { modifiers, asteriskToken, name, questionToken, typeParameters, parameters, type } = node;
        const body = countedBlock(node.body);
        return factory.updateMethodDeclaration(
          node,
          modifiers,
          asteriskToken,
          name,
          questionToken,
          typeParameters,
          parameters,
          type,
          body,
        );
      }
      if (ts.isIfStatement(node)) {
        return factory.updateIfStatement(
          node,
          node.expression,
          countedBlock(node.thenStatement),
          countedBlock(node.elseStatement),
        );
      }
      if (ts.isForStatement(node)) {
        const { initializer, condition, incrementor, statement } = node;
        return factory.updateForStatement(node, initializer, condition, incrementor, countedBlock(statement));
      }
      if (ts.isForOfStatement(node)) {
        const { awaitModifier, initializer, expression, statement } = node;
        return factory.updateForOfStatement(
          node,
          awaitModifier,
          initializer,
          expression,
          countedBlock(statement),
        );
      }
      if (ts.isWhileStatement(node)) {
        return factory.updateWhileStatement(node, node.expression, countedBlock(node.statement));
      }
      if (ts.isCaseClause(node)) {
        const statements = [factory.createExpressionStatement(hit()), ...node.statements];
        return factory.updateCaseClause(node, node.expression, statements);
      }
      if (ts.isDefaultClause(node)) {
        return factory.updateDefaultClause(node, [
          factory.createExpressionStatement(hit()),
          ...node.statements,
        ]);
      }
      if (ts.isCatchClause(node)) {
        return factory.updateCatchClause(node, node.variableDeclaration, countedBlock(node.block));
      }
      if (ts.isConditionalExpression(node)) {
        const { condition, questionToken, whenTrue, colonToken, whenFalse } = node;
        return factory.updateConditionalExpression(
          node,
          condition,
          questionToken,
          counted(whenTrue),
          colonToken,
          counted(whenFalse),
        );
      }
      if (ts.isBinaryExpression(node)) return countBinary(node);
      return node;
    };
    const countBinary = (node: ts.BinaryExpression): ts.Node => {
      const { kind } = node.operatorToken;
      switch (kind) {
        case ts.SyntaxKind.AmpersandAmpersandToken:
        case ts.SyntaxKind.BarBarToken:
        case ts.SyntaxKind.QuestionQuestionToken:
          return factory.updateBinaryExpression(node, node.left, node.operatorToken, counted(node.right));
        case ts.SyntaxKind.EqualsEqualsEqualsToken:
        case ts.SyntaxKind.ExclamationEqualsEqualsToken: {
          // What `typeof` says is no part of any input.
          if (ts.isTypeOfExpression(node.left)) return node;
          const call = factory.createCallExpression(factory.createIdentifier(same), undefined, [
            node.left,
            node.right,
          ]);
          return kind === ts.SyntaxKind.EqualsEqualsEqualsToken ? call : factory.createLogicalNot(call);
        }
        default:
          return node;
      }
    };
    return (file) => ts.visitEachChild(file, visit, context);
  };

  const { outputText } = ts.transpileModule(source, {
    fileName: path,
    transformers: { before: [transformer] },
    compilerOptions: {
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
      inlineSources: true,
    },
  });
  // On the first line, so that the source map still fits the rest.
  const head = `const { counters: ${counters}, same: ${same} } = globalThis.${feedbackKey}; const ${counters}Base = ${reserve(points)}; `;
  return { code: head + outputText, points, literals: [...literals] };
}

/** Words are kept, sentences are not. */
function noteLiteral(text: string, literals: Set<string>): void {
  if (text.length > 0 && text.length <= 48 && !/\s.*\s/.test(text)) literals.add(text);
}
