/**
 * Sessions in gateways. Needs the package `@nestjs/websockets`.
 * @module nestjs-tessera/websockets
 */
export { SessionSocketsModule } from './session-sockets.module';
