import { Logger } from '@nestjs/common';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { SessionEvent } from './core/session-event';
import { SessionError } from './core/session.errors';
import { subscriptionsOf, type SessionSubscription } from './decorators/on-session.decorator';
import type { SessionInstances } from './requests/session-instance';
import type { SessionEvents } from './session.events';

const logger = new Logger('SessionEvents');

/** The streams whose handlers are subscribed. Each instance of an application asks for it. */
const subscribed = new WeakSet<SessionEvents>();

/** What a container of Nest knows of one provider or controller. */
type Wrapper = ReturnType<typeof wrappersOf> extends Iterable<infer W> ? W : never;

/** A method with `@OnSession()`. */
interface Handler {
  readonly instance: object;
  /** As `Class.method`, for messages. */
  readonly label: string;
  readonly run: (event: SessionEvent) => unknown;
}

/**
 * Subscribes all `@OnSession()` handlers of an application to its events, once. The subscriptions end with the stream.
 * @throws SessionError `SESSION_OPTIONS_INVALID` for a handler of a class that has no single instance, `SESSION_MODULE_MISSING`
 */
export function subscribeHandlers(
  events: SessionEvents,
  modules: ModulesContainer,
  instances: SessionInstances,
): void {
  if (subscribed.has(events)) return;
  subscribed.add(events);
  const seen = new Set<object>();
  for (const wrapper of wrappersOf(modules)) {
    // One instance may be provided under several tokens.
    const instance: unknown = wrapper.instance;
    if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
    seen.add(instance);
    for (const { handler, subscription } of handlersOf(instance)) {
      if (!isSingleton(wrapper)) throw withoutInstance(handler);
      if (subscription.name !== undefined) instances.get(subscription.name);
      events.subscribe((event) => {
        if (isWanted(event, subscription)) void deliver(event, handler);
      });
    }
  }
}

function wrappersOf(modules: ModulesContainer) {
  return [...modules.values()].flatMap(({ providers, controllers }) => [
    ...providers.values(),
    ...controllers.values(),
  ]);
}

function handlersOf(instance: object): { handler: Handler; subscription: SessionSubscription }[] {
  const prototype = Object.getPrototypeOf(instance) as object | null;
  if (prototype === null) return [];
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const run = (instance as Record<string, Handler['run']>)[name]!;
    return subscriptionsOf(run).map((subscription) => ({
      handler: { instance, label: `${instance.constructor.name}.${name}`, run },
      subscription,
    }));
  });
}

/** Whether there is one instance, made when the application starts. Nest has a placeholder for the others. */
function isSingleton(wrapper: Wrapper): boolean {
  return wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
}

function isWanted({ type, sessionName }: SessionEvent, { types, name }: SessionSubscription): boolean {
  return (types.length === 0 || types.includes(type)) && (name === undefined || name === sessionName);
}

/** Calls a handler within the request that caused the event, and logs its failure. Never rejects. */
async function deliver(event: SessionEvent, { instance, label, run }: Handler): Promise<void> {
  try {
    await run.call(instance, event);
  } catch (error) {
    logger.error(`${label} failed on a session event '${event.type}'`, error);
  }
}

function withoutInstance({ label }: Handler): SessionError {
  return new SessionError(
    'SESSION_OPTIONS_INVALID',
    `@OnSession() of ${label} cannot receive events: its class is request-scoped or transient, or depends on a request-scoped provider, so that it has no instance outside a request. Move the method to a class of the default scope.`,
  );
}
