import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PodpassError } from '../../../src/base/errors.ts';
import { loadKubeconfig } from '../../../src/cluster/kubeconfig.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const file = (user: unknown, cluster: unknown = { server: 'https://127.0.0.1:6443' }) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace: 'shop' } }],
    clusters: [{ name: 'k', cluster }],
    users: [{ name: 'u', user }],
  });

/** What would run a program, read a file or call somebody is not followed: an input may name any. */
const follows =
  /exec|auth-provider|authProvider|file|proxy-url|proxyUrl|certificate-authority(?!-data)|client-(?:certificate|key)(?!-data)/i;

export const target: FuzzTarget = {
  name: 'kubeconfig',
  about: "a person's kubeconfig: a configuration, or an error that says what to do",
  maxBytes: 1_500,
  seeds: [
    file({ token: 'secret-token' }),
    file({ username: 'a', password: 'b' }),
    file(
      { 'client-certificate-data': 'QQ==', 'client-key-data': 'QQ==' },
      { server: 'http://x/', 'insecure-skip-tls-verify': true },
    ),
    'apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- {name: c, context: {cluster: k, user: u}}\nclusters:\n- name: k\n  cluster: {server: "https://x"}\nusers: []\n',
    'a: &a [1]\nb: [*a, *a]\n',
    'contexts: null\nclusters: {}\nusers: x\n',
  ],
  dictionary: [
    '&a ',
    '*a',
    '!!js/function ',
    '!!binary ',
    '<<: ',
    '---\n',
    '- ',
    ': ',
    '"current-context":',
    'null',
    '[]',
    '__proto__',
  ],
  async open() {
    const folder = mkdtempSync(join(tmpdir(), 'podpass-fuzz-'));
    const path = join(folder, 'config');
    return {
      async run(input) {
        const text = Buffer.from(input).toString();
        writeFileSync(path, input);
        try {
          const config = await loadKubeconfig({ path, env: {} });
          holds(typeof config.server === 'string' && config.server !== '', 'a server without a name');
          holds(!config.source.includes('secret-token'), 'the token is in the text that names the source');
          if (follows.test(text) || text.includes('\\')) return;
          const { headers } = await config.access({ refused: false });
          for (const value of Object.values(headers))
            holds(typeof value === 'string' && value.trim() === value, 'no header');
        } catch (thrown) {
          if (!(thrown instanceof PodpassError)) throw thrown;
          holds(thrown.code === 'ERR_CLUSTER_CONFIG', `${thrown.code} for a kubeconfig`);
          holds(thrown.message.length < 4_000, 'an error fills a page');
        }
      },
      close: () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};
