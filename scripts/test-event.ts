/** The events of Node's test runner that the report looks at, with what it looks at of each. */
export type TestEvent =
  | { readonly type: 'test:start'; readonly data: TestName }
  | { readonly type: 'test:pass' | 'test:fail'; readonly data: TestEnd }
  | {
      readonly type: 'test:stdout' | 'test:stderr';
      readonly data: { readonly file: string; readonly message: string };
    }
  | { readonly type: 'test:summary'; readonly data: { readonly file?: string; readonly duration_ms: number } }
  | { readonly type: 'other' };

export interface TestName {
  /** In full: `src/roles/role-arn.test.ts` of some root. */
  readonly file?: string;
  readonly name: string;
  /** 0 for what stands at the top of its file. */
  readonly nesting: number;
}

export interface TestEnd extends TestName {
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details: {
    readonly duration_ms: number;
    readonly type?: string;
    /** The runner's wrapping; what the test threw is its cause. */
    readonly error?: { readonly failureType?: string };
  };
}
