import { AsyncLocalStorage } from 'node:async_hooks';

/** What one request of the property test does, between its opening and its commit. */
export type Action =
  | { readonly kind: 'get' }
  | { readonly kind: 'set' }
  | { readonly kind: 'update' }
  | { readonly kind: 'mutate' }
  | { readonly kind: 'login'; readonly user: 'a' | 'b'; readonly pending: boolean }
  | { readonly kind: 'logout'; readonly keepData: boolean }
  | { readonly kind: 'elevate' }
  | { readonly kind: 'act' }
  | { readonly kind: 'stop acting' }
  | { readonly kind: 'renew' }
  | { readonly kind: 'rotate' }
  | { readonly kind: 'take' }
  | { readonly kind: 'destroy' }
  | { readonly kind: 'merge' };

export interface Plan {
  readonly client: number;
  /** Which of the processes behind the load balancer answers. */
  readonly process: number;
  /** The main session of the client, or the one it may merge into it. */
  readonly jar: 'main' | 'side';
  readonly actions: readonly Action[];
  /** Between the actions: nothing, a commit, or a commit that the handler does not wait for. */
  readonly between: 'nothing' | 'commit' | 'commit unawaited';
  /** Lets the answer of the request's first write be lost; it commits once more then, as the gate does after a filter. */
  readonly loseAnswer: boolean;
}

/** A request under way, as the spies see it. */
export interface Visit {
  readonly number: number;
  readonly plan: Plan;
  /** Secrets this request has a right to: the one it came with, and those it made. */
  readonly secrets: Set<string>;
  /** Ids it means to end. */
  readonly ending: Set<string>;
  readonly mergeable: Set<string>;
  readonly logins: Set<string>;
  superseded: boolean;
  stale: boolean;
  answerToLose: boolean;
  readonly arrivedAt: number;
  /** Ids that were dead already when this request arrived, and that it has not found alive since. */
  readonly deadOnArrival: Set<string>;
  readonly merged: string[];
}

/** Whose call it is, for stores and events that are not told. */
export const visits = new AsyncLocalStorage<Visit>();
