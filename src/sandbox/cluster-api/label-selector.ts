import { badRequest, done, type Outcome } from './status.ts';

export type Labels = Readonly<Record<string, string>>;
export type LabelMatch = (labels: Labels) => boolean;

const longest = 4_096;

const key = `[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?(?:/[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?`;
const value = `(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?`;
const comparison = new RegExp(String.raw`^(${key})\s*(==|=|!=|<|>)\s*(${value})$`);
const membership = new RegExp(String.raw`^(${key})\s+(in|notin)\s*\(([^()]*)\)$`);
const existence = new RegExp(`^(!?)\\s*(${key})$`);
const valueOnly = new RegExp(`^${value}$`);

/**
 * Reads a `labelSelector`: `app=web`, `app!=web`, `app in (web, api)`, `app notin (web)`, `app`, `!app`, `size>3`,
 * joined by commas. An empty one matches everything. The negative forms match objects without the label too, as in
 * Kubernetes.
 */
export function parseLabelSelector(text: string): Outcome<LabelMatch> {
  if (text.length > longest) return badRequest(`the label selector is longer than ${longest} characters`);
  const matches: LabelMatch[] = [];
  for (const requirement of splitRequirements(text)) {
    const match = parseRequirement(requirement);
    if (!match)
      return badRequest(`unable to parse requirement: ${JSON.stringify(requirement.slice(0, 200))}`);
    matches.push(match);
  }
  return done((labels) => matches.every((match) => match(labels)));
}

/** Splits at the commas that are not between parentheses. */
function splitRequirements(text: string): readonly string[] {
  if (text.trim() === '') return [];
  return text.split(/,(?![^()]*\))/).map((requirement) => requirement.trim());
}

function parseRequirement(text: string): LabelMatch | undefined {
  const [, name = '', operator, wanted = ''] = comparison.exec(text) ?? [];
  if (operator) return compare(name, operator, wanted);
  const [, member = '', how, list = ''] = membership.exec(text) ?? [];
  if (how) {
    const values = list.split(',').map((item) => item.trim());
    if (!values.every((item) => valueOnly.test(item))) return undefined;
    return (labels) =>
      (Object.hasOwn(labels, member) && values.includes(labels[member] ?? '')) === (how === 'in');
  }
  const [, negated, present] = existence.exec(text) ?? [];
  if (!present) return undefined;
  return (labels) => Object.hasOwn(labels, present) === (negated === '');
}

function compare(name: string, operator: string, wanted: string): LabelMatch | undefined {
  if (operator === '<' || operator === '>') {
    if (!/^-?\d{1,15}$/.test(wanted)) return undefined;
    const bound = Number(wanted);
    return (labels) => {
      const actual = Number.parseInt(labels[name] ?? '', 10);
      return operator === '<' ? actual < bound : actual > bound;
    };
  }
  return (labels) => (Object.hasOwn(labels, name) && labels[name] === wanted) === (operator !== '!=');
}
