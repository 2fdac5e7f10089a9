/** The status of the connection, with the reason. */

import type { Status } from '@vitrina/client';
import { clock } from '../format';
import { texts } from '../store/preferences';
import { useWorkspace } from './context';

const TONES: Record<Status['state'], string> = {
  online: 'good',
  catching_up: 'fair',
  connecting: 'fair',
  paused: 'fair',
  offline: 'poor',
  stopped: 'poor',
};

export function Indicator() {
  const { live } = useWorkspace();
  const status = live.status.value;
  const words = texts.value.status;
  const reason = 'reason' in status ? words.reasons[status.reason] : undefined;
  const canStart = status.state === 'stopped' || status.state === 'paused';
  return (
    <div class="indicator-box">
      <div class={`indicator ${TONES[status.state]}`} role="status">
        <i aria-hidden="true" />
        <b>{words[status.state]}</b>
        {reason && <span class="reason">{reason}</span>}
      </div>
      {canStart && (
        <button type="button" class="button small" onClick={() => live.client.start()}>
          {words.connect}
        </button>
      )}
    </div>
  );
}

/** The time at which the shown data was last complete, while it may be incomplete. */
export function AsOf() {
  const { live } = useWorkspace();
  const asOf = live.asOf.value;
  return asOf === null ? null : (
    <span class="chip warning">{texts.value.status.asOf(clock(asOf))}</span>
  );
}
