import { runSeed } from './run-seed.ts';

const seed = Number(process.argv[2] ?? 1);
const n = Number(process.argv[3] ?? 0);
if (!n) {
  const o = await runSeed(seed, (l) => console.log(l));
  console.log(o.violations);
} else {
  const t = performance.now();
  const c0 = process.cpuUsage();
  let bad = 0;
  let reqs = 0;
  const rules: Record<string, number> = {};
  for (let s = seed; s < seed + n; s++) {
    const o = await runSeed(s);
    reqs += o.history.requests.length;
    if (o.violations.length) {
      bad++;
      for (const v of o.violations) rules[v.rule] = (rules[v.rule] ?? 0) + 1;
      if (bad < 10) console.log(s, o.violations.length, o.violations[0]);
    }
  }
  console.log(
    bad,
    'bad',
    rules,
    reqs,
    'requests',
    ((performance.now() - t) / n).toFixed(1),
    'ms/seed',
    ((process.cpuUsage(c0).user + process.cpuUsage(c0).system) / 1000 / n).toFixed(1),
    'cpu ms/seed',
  );
}
