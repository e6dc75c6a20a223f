import { FileSessionStore } from 'nestjs-tessera/file';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { often } from '../support/long';
import { fileDirectory } from './file-directory';

// What is proven here does not depend on waiting for the disk; the specs beside this one wait.
const options = { durable: false };
let place: ReturnType<typeof fileDirectory>;

describeSessionStore('FileSessionStore', {
  create() {
    place = fileDirectory();
    return new FileSessionStore(place.directory, options);
  },
  peer: () => new FileSessionStore(place.directory, options),
  destroy: () => place.remove(),
  without: ['watching'],
  volume: often(300, 2000),
});
