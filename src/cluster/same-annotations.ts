import type { Pod } from './objects.ts';

type Annotated = Pick<Pod, 'annotations'>;

/** Whether two versions of an object say the same in the annotations that are kept of it. */
export function sameAnnotations(a: Annotated, b: Annotated): boolean {
  const keys = Object.keys(a.annotations);
  return (
    keys.length === Object.keys(b.annotations).length &&
    keys.every((key) => a.annotations[key] === b.annotations[key])
  );
}
