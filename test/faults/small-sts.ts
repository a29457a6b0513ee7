// An STS that does one thing: it gives anybody credentials of any role, after a while, and says so first. What it says
// outlives it, because it is written before the answer.
//
//     node test/faults/small-sts.ts PORT LATENCY_MILLIS

import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';

const [port, latency] = process.argv.slice(2).map(Number);
const sessionMillis = 3_600_000;

const server = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  const form = new URLSearchParams(text);
  await setTimeout(latency);
  const action = form.get('Action') ?? '';
  const [result, role] = action === 'AssumeRole' ? assumeRole(form) : callerIdentity();
  if (role !== undefined) writeSync(1, `${JSON.stringify(role)}\n`);
  response.setHeader('content-type', 'text/xml');
  response.end(
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${result}</${action}Result>` +
      `<ResponseMetadata><RequestId>${Date.now()}</RequestId></ResponseMetadata></${action}Response>`,
  );
});
server.listen(port, '127.0.0.1');

function assumeRole(form: URLSearchParams): [string, { role: string; accessKeyId: string }] {
  const [prefix = '', role = ''] = (form.get('RoleArn') ?? '').split(':role/');
  const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const expiration = new Date(Date.now() + sessionMillis).toISOString();
  const arn = `${prefix.replace(':iam:', ':sts:')}:assumed-role/${role}/${form.get('RoleSessionName')}`;
  const result =
    `<AssumedRoleUser><AssumedRoleId>AROATEST:${role}</AssumedRoleId><Arn>${arn}</Arn></AssumedRoleUser>` +
    `<Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${randomBytes(20).toString('hex')}</SecretAccessKey>` +
    `<SessionToken>${randomBytes(200).toString('hex')}</SessionToken><Expiration>${expiration}</Expiration></Credentials>`;
  return [result, { role, accessKeyId }];
}

function callerIdentity(): [string, undefined] {
  const arn = 'arn:aws:sts::123456789012:assumed-role/podpass-server/i-0123456789abcdef0';
  return [`<UserId>AROATEST:podpass</UserId><Account>123456789012</Account><Arn>${arn}</Arn>`, undefined];
}
