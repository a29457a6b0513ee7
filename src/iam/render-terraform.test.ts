import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { iamDocuments } from './iam-documents.ts';
import { type IamRequest, planIam } from './plan-iam.ts';
import { renderTerraform } from './render-terraform.ts';

const request: IamRequest = {
  account: '123456789012',
  partition: 'aws',
  serverRole: '/infra/podpass-server',
  nodeRoles: ['server-node'],
  serviceAccount: 'kube-system/podpass-server',
  appRoles: ['/pods/reader', 'arn:aws:iam::210987654321:role/writer'],
  appRolePath: '/pods/',
  externalId: true,
};

function render(asked: IamRequest): string {
  const plan = planIam(asked);
  return renderTerraform(iamDocuments(plan), plan.externalId);
}

describe('renderTerraform', () => {
  it('writes what the example has, which `terraform fmt` leaves as it is', () => {
    const example = join(import.meta.dirname, 'render-terraform.example.tf');
    assert.equal(render(request), readFileSync(example, 'utf8'));
  });

  it('has no variable where no external id is demanded', () => {
    assert.doesNotMatch(render({ ...request, externalId: false }), /external_id|ExternalId/);
  });

  it('refers to the server role where trust policies name it, so that it is made first', () => {
    assert.doesNotMatch(render(request), /"arn:aws:iam::123456789012:role\/infra\/podpass-server"/);
  });

  it('lets nothing in a path become an expression or end a text', () => {
    const written = render({ ...request, appRoles: [String.raw`/a"%{b}\/reader`] });
    assert.match(written, /^ {2}path = "\/a\\"%%\{b\}\\\\\/"$/m);
  });
});
