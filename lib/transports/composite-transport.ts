import type {
  Connection,
  RequestHeaders,
  ResponseHeaders,
  SessionTransport,
  TokenAnswer,
  TokenReading,
} from './session-transport';

const NO_TOKEN: TokenReading = { kind: 'none' };
const AMBIGUOUS: TokenReading = { kind: 'ambiguous' };

/** Carries the token in the way that the client chose. The first part answers requests without a token. */
export class CompositeTransport implements SessionTransport {
  readonly channel: string;
  readonly sealedFor: string;
  readonly vary: readonly string[];
  readonly persistent: boolean;
  readonly #first: SessionTransport;

  constructor(readonly parts: readonly SessionTransport[]) {
    this.#first = parts[0]!;
    this.channel = parts.map(({ channel }) => channel).join(' or ');
    // A session that was sealed in an answer of one part opens in a request of another.
    this.sealedFor = parts.map(({ sealedFor }) => sealedFor).join(', ');
    this.vary = parts.flatMap(({ vary }) => vary);
    this.persistent = parts.some(({ persistent }) => persistent === true);
  }

  /** One token that came in two ways is answered in the first of them. Two tokens are `ambiguous`. */
  read(headers: RequestHeaders): TokenReading {
    let found = NO_TOKEN;
    for (const part of this.parts) {
      const reading = part.read(headers);
      if (reading.kind === 'none') continue;
      if (found.kind === 'none') found = reading;
      else if (found.kind === 'ambiguous' || reading.kind === 'ambiguous' || reading.value !== found.value)
        return AMBIGUOUS;
    }
    return found;
  }

  capacity(): number {
    return this.#first.capacity();
  }

  obstacle(connection: Connection, presented: boolean): string | null {
    return this.#first.obstacle(connection, presented);
  }

  write(headers: ResponseHeaders, answer: TokenAnswer, now: number): void {
    this.#first.write(headers, answer, now);
  }
}
