// The AWS SDK for JavaScript as a client of the conformance table: answers each line of input with who it is.
import { createInterface } from 'node:readline';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import manifest from '@aws-sdk/client-sts/package.json' with { type: 'json' };

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

let client;
say({ sdk: `@aws-sdk/client-sts ${manifest.version}` });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    if (client === undefined || line === 'new') client = new STSClient();
    say({ arn: (await client.send(new GetCallerIdentityCommand())).Arn });
  } catch (error) {
    say({ code: error.name, message: error.message });
  }
}
