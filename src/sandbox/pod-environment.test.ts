import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { podEnvironment } from './pod-environment.ts';

const options = {
  metadataUrl: 'http://127.0.0.1:4001',
  stsUrl: 'http://127.0.0.1:4000',
  region: 'eu-west-1',
};

describe('the environment of a sandbox pod', () => {
  it('leads AWS clients to the pod door and the sandbox STS', () => {
    const environment = podEnvironment({ HOME: '/home/me', PATH: '/usr/bin' }, options);
    assert.equal(environment.AWS_EC2_METADATA_SERVICE_ENDPOINT, 'http://127.0.0.1:4001');
    assert.equal(environment.AWS_ENDPOINT_URL_STS, 'http://127.0.0.1:4000');
    assert.equal(environment.AWS_ENDPOINT_URL, 'http://127.0.0.1:4000');
    assert.equal(environment.AWS_REGION, 'eu-west-1');
    assert.equal(environment.HOME, '/home/me');
  });

  it('takes away every other source of credentials and every way out', () => {
    const leaking = {
      AWS_ACCESS_KEY_ID: 'AKIA',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_SESSION_TOKEN: 't',
      AWS_PROFILE: 'prod',
      AWS_WEB_IDENTITY_TOKEN_FILE: '/token',
      AWS_ROLE_ARN: 'arn',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://x',
      AWS_EC2_METADATA_DISABLED: 'true',
      BOTO_CONFIG: '/x',
      HTTPS_PROXY: 'http://proxy',
      https_proxy: 'http://proxy',
      ALL_PROXY: 'http://proxy',
    };
    const environment = podEnvironment(leaking, options);
    for (const name of Object.keys(leaking)) assert.equal(environment[name], undefined, name);
    assert.equal(environment.AWS_CONFIG_FILE, '/dev/null');
    assert.equal(environment.AWS_SHARED_CREDENTIALS_FILE, '/dev/null');
  });

  it('puts extra folders behind the PATH', () => {
    assert.equal(
      podEnvironment({ PATH: '/usr/bin' }, { ...options, extraPath: ['/opt/aws'] }).PATH,
      '/usr/bin:/opt/aws',
    );
    assert.equal(podEnvironment({}, { ...options, extraPath: ['/opt/aws'] }).PATH, '/opt/aws');
  });
});
