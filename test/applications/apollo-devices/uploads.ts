import { Injectable } from '@nestjs/common';

/** Stores pictures: a call to another server, which may take its time. */
@Injectable()
export class Uploads {
  async store(_picture: string): Promise<void> {}
}
