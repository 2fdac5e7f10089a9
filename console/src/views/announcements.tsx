/** The form for announcements, with a preview. */

import { useComputed, useSignal, type Signal } from '@preact/signals';
import { useWorkspace } from '../parts/context';
import { Question } from '../parts/dialog';
import { Text } from '../parts/text';
import { texts } from '../store/preferences';
import { explain } from '../store/workspace';

const KINDS = ['everyone', 'one', 'room'] as const;
const TYPES = ['user', 'shop', 'admin'] as const;

interface Audience {
  readonly kind: (typeof KINDS)[number];
  readonly type: (typeof TYPES)[number];
  readonly identity: string;
  readonly room: string;
}

export function Announcements() {
  const workspace = useWorkspace();
  const { announcing, toasts } = workspace;
  const words = texts.value.announce;
  const sending = announcing.sending.value;
  const audience = useSignal<Audience>({ kind: 'everyone', type: 'user', identity: '', room: '' });
  const title = useSignal(sending.state === 'editing' ? '' : sending.content.title);
  const text = useSignal(sending.state === 'editing' ? '' : sending.content.text);
  const isAsking = useSignal(false);
  const to = useComputed(() => channelOf(audience.value));
  const isLocked = sending.state !== 'editing';
  const isComplete = to.value !== '' && title.value.trim() !== '' && text.value.trim() !== '';
  const send = async () => {
    isAsking.value = false;
    try {
      const content = { to: to.peek(), title: title.peek().trim(), text: text.peek().trim() };
      const sent = await announcing.send(content);
      title.value = '';
      text.value = '';
      toasts.add('info', words.sent, words.sentText(sent.delivered ?? 0, sent.queued ?? 0));
    } catch (error) {
      if (announcing.sending.peek().state === 'editing') workspace.refused(error);
      else toasts.add('bad', explain(error));
    }
  };
  return (
    <div class="column padded">
      <h1>{words.title}</h1>
      <form
        class="card fields"
        onSubmit={(event) => {
          event.preventDefault();
          if (isComplete && !isLocked) isAsking.value = true;
        }}
      >
        <fieldset disabled={isLocked}>
          <AudienceFields audience={audience} />
          <label>
            {words.subject}
            <input
              value={title.value}
              maxLength={200}
              required
              onInput={(event) => (title.value = event.currentTarget.value)}
            />
          </label>
          <label>
            {words.text}
            <textarea
              rows={4}
              value={text.value}
              maxLength={4000}
              required
              onInput={(event) => (text.value = event.currentTarget.value)}
            />
          </label>
        </fieldset>
        <Preview title={title.value} text={text.value} />
        <div role="status">{sending.state === 'unsure' && <p class="note">{words.unsure}</p>}</div>
        <div class="actions">
          {isLocked ? (
            <>
              <button
                type="button"
                class="button go"
                aria-disabled={sending.state === 'sending'}
                onClick={() => void send()}
              >
                {sending.state === 'sending' ? words.sending : words.again}
              </button>
              {sending.state === 'unsure' && (
                <button type="button" class="button" onClick={() => announcing.discard()}>
                  {words.discard}
                </button>
              )}
            </>
          ) : (
            <button class="button go" aria-disabled={!isComplete}>
              {words.send}
            </button>
          )}
          <span class="meta">
            {isLocked ? sending.content.to : <AudienceSize audience={audience.value} />}
          </span>
        </div>
      </form>
      {isAsking.value && (
        <Question
          question={words.confirm(nameOf(audience.value))}
          onAnswer={(isYes) => {
            if (isYes) void send();
            else isAsking.value = false;
          }}
        />
      )}
    </div>
  );
}

/** Returns the channel, or an empty text while the form is incomplete. */
function channelOf({ kind, type, identity, room }: Audience): string {
  if (kind === 'everyone') return type;
  if (kind === 'one')
    return /^[1-9]\d{0,15}$/.test(identity.trim()) ? `${type}:${identity.trim()}` : '';
  return room.trim() && `room:${room.trim()}`;
}

function nameOf(audience: Audience): string {
  const { everyone } = texts.value.announce;
  return audience.kind === 'everyone' ? (everyone[audience.type] ?? '') : channelOf(audience);
}

function AudienceSize({ audience }: { audience: Audience }) {
  const { stats } = useWorkspace();
  const words = texts.value.announce;
  if (audience.kind === 'one') return <>{words.audienceOne}</>;
  if (audience.kind === 'room') return <>{words.audienceRoom}</>;
  const open = stats.value?.by_type[audience.type];
  return <>{open === undefined ? '' : words.audience(open)}</>;
}

function AudienceFields({ audience }: { audience: Signal<Audience> }) {
  const { announce: words, numbers } = texts.value;
  const { kind, type, identity, room } = audience.value;
  const change = (part: Partial<Audience>) => {
    audience.value = { ...audience.peek(), ...part };
  };
  return (
    <>
      <div class="choices" role="radiogroup" aria-label={words.to}>
        {KINDS.map((each) => (
          <label key={each} class="inline">
            <input
              type="radio"
              name="kind"
              checked={each === kind}
              onChange={() => change({ kind: each })}
            />
            {words.kinds[each]}
          </label>
        ))}
      </div>
      {kind !== 'room' && (
        <label>
          {words.type}
          <select
            value={type}
            onChange={(event) => change({ type: event.currentTarget.value as Audience['type'] })}
          >
            {TYPES.map((each) => (
              <option key={each} value={each}>
                {numbers.types[each]}
              </option>
            ))}
          </select>
        </label>
      )}
      {kind === 'one' && (
        <label>
          {type === 'shop' ? words.shopNumber : words.identity}
          <input
            inputMode="numeric"
            required
            pattern="[1-9][0-9]{0,15}"
            value={identity}
            onInput={(event) => change({ identity: event.currentTarget.value })}
          />
        </label>
      )}
      {kind === 'room' && (
        <label>
          {words.room}
          <input
            required
            maxLength={86}
            pattern="[A-Za-z0-9_.:\-]+"
            value={room}
            onInput={(event) => change({ room: event.currentTarget.value })}
          />
        </label>
      )}
    </>
  );
}

function Preview({ title, text }: { title: string; text: string }) {
  const words = texts.value.announce;
  return (
    <section class="preview" aria-label={words.preview}>
      <h2>{words.preview}</h2>
      <div class="phone">
        <b>
          <Text of={title || '…'} />
        </b>
        <p class="long">
          <Text of={text || '…'} />
        </p>
      </div>
    </section>
  );
}
