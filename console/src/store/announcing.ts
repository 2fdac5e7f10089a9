/** An announcement on its way: what is kept so that it is sent once. */

import type { Http } from '@vitrina/client';
import { effect, signal } from '@preact/signals';
import { begun, EDITING, failed, readSending, type Announcement } from '../state/sending';
import { codeOf } from '../state/problems';
import { kept } from './preferences';

export class Announcing {
  readonly sending;
  readonly #stop;

  /** What is under way outlives the page, and belongs to the account. */
  constructor(
    readonly http: Http,
    accountId: number,
  ) {
    const place = kept(`announcement.${accountId}`, 'sessionStorage');
    this.sending = signal(readSending(place.read()));
    this.#stop = effect(() => {
      const sending = this.sending.value;
      place.write(sending.state === 'editing' ? null : JSON.stringify(sending));
    });
  }

  stop(): void {
    this.#stop();
  }

  /** Sends, or sends again what got no answer. Rejects with the refusal, or with its absence. */
  async send(content: Announcement) {
    const sending = begun(this.sending.peek(), content, () => crypto.randomUUID());
    if (sending.state === 'editing') throw new Error('Nothing is being sent.');
    this.sending.value = sending;
    try {
      const { data } = await this.http.post('/api/v1/admin/announcements', {
        body: sending.content,
        idempotencyKey: sending.key,
      });
      this.sending.value = EDITING;
      return data;
    } catch (error) {
      this.sending.value = failed(this.sending.peek(), codeOf(error));
      throw error;
    }
  }

  discard(): void {
    this.sending.value = EDITING;
  }
}
