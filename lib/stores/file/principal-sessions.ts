import type { SessionRecord } from '../../core/session-record';
import { inBatches } from './in-batches';
import type { Marker } from './principal-markers';
import type { SessionFiles } from './session-files';

/** Finds and removes the sessions of one principal. Markers name candidates; the session files decide. */
export class PrincipalSessions {
  constructor(private readonly files: SessionFiles) {}

  async find(principal: string, signal: AbortSignal): Promise<SessionRecord[]> {
    const markers = await this.files.markers.of(principal);
    const found = await inBatches(markers, signal, (marker) => this.#sessionOf(marker));
    return found.filter((record) => record !== null);
  }

  async delete(principal: string, signal: AbortSignal): Promise<number> {
    const markers = await this.files.markers.of(principal);
    const removed = await inBatches(markers, signal, (marker) => this.#delete(marker, signal));
    return removed.filter(Boolean).length;
  }

  async #delete(marker: Marker, signal: AbortSignal): Promise<boolean> {
    if ((await this.#sessionOf(marker)) === null) return false;
    return this.files.change(marker.id, signal, (found) =>
      found?.kind === 'live' && found.record.principal === marker.principal
        ? { kind: 'remove', lasting: true, result: true }
        : { kind: 'keep', result: false },
    );
  }

  /** The session of a marker; `null` when the marker is out of date. */
  async #sessionOf(marker: Marker): Promise<SessionRecord | null> {
    const found = await this.files.read(marker.id);
    if (found?.kind === 'live' && found.mark === marker.mark && found.record.principal === marker.principal)
      return found.record;
    if (await this.files.markers.isOld(marker)) await this.files.prune(marker);
    return null;
  }
}
