export { SessionSocketsModule } from './session-sockets.module';
