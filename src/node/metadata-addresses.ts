/** Where EC2 serves instance metadata, in both families. The only destinations that this room ever touches. */
export const metadataAddresses = { v4: '169.254.169.254', v6: 'fd00:ec2::254' } as const;

export const metadataPort = 80;

export type Family = keyof typeof metadataAddresses;

export const families: readonly Family[] = ['v4', 'v6'];
