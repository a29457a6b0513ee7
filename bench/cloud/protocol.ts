import type { PodSpec } from './pod-object.ts';

/** What the bench may ask of the process that stands for Kubernetes and AWS. */
export interface CloudCalls {
  /**
   * Creates pods, address and all, and gives each role that they name to IAM. Resolves with the moments at which the
   * API had them: milliseconds of the machine's monotonic clock, the same in every process.
   */
  createPods(pods: readonly PodSpec[]): readonly number[];
  deletePods(names: readonly string[]): void;
  /** Every call of STS takes this much longer from now on. */
  setStsLatency(millis: number): void;
  /** Sessions issued from now on end after so many seconds, and say so. */
  setSessionSeconds(seconds: number): void;
  /** Whether the API streams lists (WatchList), as Kubernetes does from 1.34 on, or only gives them by pages. */
  setListStreaming(on: boolean): void;
  /** Calls of AssumeRole for roles whose name begins so, that were answered with credentials. */
  countSessions(rolePrefix: string): number;
  /** Of the latest such calls, by name of the role. */
  countSessionsByRole(rolePrefix: string): Readonly<Record<string, number>>;
}

/** How the processes of podpass reach it. */
export interface CloudFacts {
  readonly clusterPort: number;
  readonly stsUrl: string;
  readonly metadataUrl: string;
  /** A folder as kubelet mounts it for a pod's service account. */
  readonly serviceAccount: string;
  readonly serverTls: TlsFiles;
  readonly agentTls: TlsFiles;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export type CloudRequest = {
  [Method in keyof CloudCalls]: {
    readonly id: number;
    readonly method: Method;
    readonly argument: Parameters<CloudCalls[Method]>[0];
  };
}[keyof CloudCalls];

export type CloudMessage =
  | { readonly kind: 'ready'; readonly facts: CloudFacts }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string };

/** Milliseconds of CLOCK_MONOTONIC, which all processes of the machine share. */
export function machineMillis(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
