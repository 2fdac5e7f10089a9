/** An announcement that is being sent, stored so that it is published once. */

import type { Http } from '@vitrina/client';
import { effect, signal } from '@preact/signals';
import { begun, EDITING, failed, readSending, type Announcement } from '../state/sending';
import { codeOf } from '../state/problems';
import { kept } from './preferences';

export class Announcing {
  readonly sending;
  readonly #stop;

  /** A pending announcement is stored across reloads, for one account. */
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

  /** Sends, or repeats a request without an answer. Rejects with the refusal, or the network's error. */
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
