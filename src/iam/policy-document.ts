/** A policy in the very shape that IAM's JSON has, so that it is printed as it is. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

export interface PolicyStatement {
  readonly Effect: 'Allow';
  /** In trust policies only. */
  readonly Principal?: Readonly<Record<'AWS', readonly string[]>> | Readonly<Record<'Federated', string>>;
  readonly Action: string;
  /** In the policies of callers only. */
  readonly Resource?: readonly string[];
  readonly Condition?: { readonly StringEquals: Readonly<Record<string, string>> };
}

/** A document that allows one thing. */
export function allow(statement: Omit<PolicyStatement, 'Effect'>): PolicyDocument {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] };
}
