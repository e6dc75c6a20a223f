import { Injectable } from '@nestjs/common';
import {
  MemorySessionStore,
  SessionModule,
  type SessionModuleOptions,
  type SessionOptionsFactory,
  type SessionStore,
} from 'nestjs-tessera';
import './data';

@Injectable()
class Factory implements SessionOptionsFactory {
  createSessionOptions(): SessionModuleOptions {
    return { lifetime: '1h' };
  }
}

export const modules = [
  SessionModule.forRoot(),
  SessionModule.forRoot({
    name: 'admin',
    lifetime: '1h',
    idleTimeout: false,
    store: new MemorySessionStore(),
  }),
  SessionModule.forRootAsync({ useClass: Factory }),
  SessionModule.forRootAsync({ name: 'admin', useExisting: Factory }),
  SessionModule.forRootAsync({
    inject: [Factory],
    useFactory: (factory: Factory) => factory.createSessionOptions(),
  }),
  // @ts-expect-error -- no such option
  SessionModule.forRoot({ secret: 'x' }),
  // @ts-expect-error -- a session always ends
  SessionModule.forRoot({ lifetime: false }),
  // @ts-expect-error -- always on
  SessionModule.forRoot({ cookie: { httpOnly: false } }),
  // @ts-expect-error -- no such value
  SessionModule.forRoot({ cookie: { sameSite: 'never' } }),
  // @ts-expect-error -- a store has five calls
  SessionModule.forRoot({ store: { find: async () => null } }),
  // @ts-expect-error -- not the options
  SessionModule.forRootAsync({ useFactory: () => ({ lifetime: false }) }),
];

// @ts-expect-error -- the five calls
export class Half implements SessionStore {
  find = async () => null;
}
