/**
 * Makes mutants of a TypeScript file: small faults, each behind a switch, so that one instrumented text carries all of
 * them and a test can be run under one after the other without loading anything again. The kinds are those of Stryker,
 * with numbers and removed statements besides.
 */
import ts from 'typescript';

export interface Mutant {
  id: number;
  file: string;
  line: number;
  column: number;
  before: string;
  after: string;
}

/** What the switches and the loops of an instrumented text call. */
export const SWITCH = '__mutant';
export const LOOP = '__loop';

const SWAPS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '&': ['|'],
  '|': ['&'],
  '^': ['&'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['<<'],
  '+=': ['-='],
  '-=': ['+='],
  '|=': ['&='],
  '&=': ['|='],
  '??=': ['='],
};
const CALLS: Readonly<Record<string, string>> = { min: 'max', max: 'min', some: 'every', every: 'some' };

/** @param firstId number of the file's first mutant */
export function instrument(file: string, text: string, firstId: number): { code: string; mutants: Mutant[] } {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const mutants: Mutant[] = [];

  const textOf = (node: ts.Node): string => text.slice(node.getStart(source), node.end);

  function mutant(node: ts.Node, after: string, before = textOf(node)): string {
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
    const id = firstId + mutants.length;
    mutants.push({ id, file, line: line + 1, column: character + 1, before, after });
    return `${SWITCH}(${id})`;
  }

  /** The text of `node` with what is in front of it, its children instrumented. */
  function inner(node: ts.Node): string {
    let out = '';
    let at = node.pos;
    ts.forEachChild(node, (child) => {
      out += text.slice(at, child.pos) + emit(child);
      at = child.end;
    });
    return out + text.slice(at, node.end);
  }

  function emit(node: ts.Node): string {
    if (isLeftAlone(node)) return text.slice(node.pos, node.end);
    const choices = expressionMutants(node).map((after) => `${mutant(node, after)} ? (${after}) : `);
    const lead = text.slice(node.pos, node.getStart(source));
    const own = inner(node).slice(lead.length);
    if (choices.length > 0) return `${lead}(${choices.join('')}(${own}))`;
    if (ts.isExpressionStatement(node) && !isSuper(node.expression))
      return `${lead}{if (!${mutant(node, '/* removed */')}) {${own}}}`;
    if (ts.isBlock(node) && isFunctionBody(node))
      return `${lead}{if (${mutant(node.parent, '{}', `${nameOf(node.parent)} {…}`)}) return;${own.slice(1)}`;
    if (isLoop(node.parent) && node.parent.statement === node) return `${lead}{${LOOP}();${own}}`;
    return lead + own;
  }

  function expressionMutants(node: ts.Node): string[] {
    const own = textOf(node);
    const found: string[] = [];
    if (isCondition(node)) found.push(...(isLoop(node.parent) ? ['false'] : ['true', 'false']));
    if (ts.isArrowFunction(node.parent) && node.parent.body === node && !ts.isBlock(node)) found.push('undefined');
    if (ts.isBinaryExpression(node)) {
      const left = text.slice(node.getStart(source), node.operatorToken.getStart(source));
      const right = text.slice(node.operatorToken.end, node.end);
      const operator = node.operatorToken.getText(source);
      for (const other of SWAPS[operator] ?? []) found.push(left + other + right);
      if (operator === '??') found.push(left, right);
    } else if (ts.isPrefixUnaryExpression(node)) {
      const operand = textOf(node.operand);
      if (node.operator === ts.SyntaxKind.PlusPlusToken) found.push(`--${operand}`);
      else if (node.operator === ts.SyntaxKind.MinusMinusToken) found.push(`++${operand}`);
      else found.push(operand);
    } else if (ts.isPostfixUnaryExpression(node))
      found.push(textOf(node.operand) + (node.operator === ts.SyntaxKind.PlusPlusToken ? '--' : '++'));
    else if (node.kind === ts.SyntaxKind.TrueKeyword) found.push('false');
    else if (node.kind === ts.SyntaxKind.FalseKeyword) found.push('true');
    else if (ts.isNumericLiteral(node)) found.push(`${own} + 1`);
    else if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node))
      found.push(node.text === '' ? "'mutant'" : "''");
    else if (ts.isTemplateExpression(node)) found.push("''");
    else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) found.push('[]');
    else if (ts.isObjectLiteralExpression(node) && node.properties.length > 0) found.push('{}');
    else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression;
      const other = CALLS[name.text];
      if (other !== undefined) found.push(`${textOf(expression)}.${other}${text.slice(name.end, node.end)}`);
    }
    if (ts.isOptionalChain(node) && !ts.isOptionalChain(node.parent) && !ts.isNonNullExpression(node.parent))
      for (let n: ts.Node = node; ts.isOptionalChain(n); n = n.expression) {
        const dot = ts.isNonNullChain(n) ? undefined : n.questionDotToken;
        if (dot === undefined) continue;
        const behind = ts.isPropertyAccessExpression(n) ? '.' : '';
        found.push(text.slice(node.getStart(source), dot.getStart(source)) + behind + text.slice(dot.end, node.end));
      }
    return found;
  }

  const nameOf = (node: ts.Node): string => {
    const { name } = node as ts.Node & { name?: ts.Node };
    return name === undefined ? 'function' : textOf(name);
  };

  return { code: inner(source), mutants };
}

const isLoop = (node: ts.Node): node is ts.IterationStatement => ts.isIterationStatement(node, false);

function isCondition(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent) || ts.isDoStatement(parent))
    return parent.expression === node;
  return (ts.isConditionalExpression(parent) || ts.isForStatement(parent)) && parent.condition === node;
}

const isFunctionBody = (node: ts.Block): boolean =>
  node.statements.length > 0 && ts.isFunctionLike(node.parent) && !node.getText().includes('super(');

const isSuper = (node: ts.Node): boolean =>
  ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword;

/** Types, imports, names of properties, and what is assigned to. */
function isLeftAlone(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true;
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isRegularExpressionLiteral(node))
    return true;
  if (ts.isPropertyName(node) && 'name' in parent && parent.name === node) return true;
  return ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node);
}
