// An AWS SDK in a pod as it comes: nobody tells it where the metadata service is. Prints the credentials it found.
import { fromInstanceMetadata } from '@aws-sdk/credential-providers';

const { accessKeyId, secretAccessKey, sessionToken } = await fromInstanceMetadata()();
process.stdout.write(
  JSON.stringify({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken }),
);
