/** The events of a channel, live. */

import { useSignal } from '@preact/signals';
import { useCallback, useEffect, useMemo } from 'preact/hooks';
import { useWorkspace } from '../parts/context';
import { AsOf } from '../parts/indicator';
import { Text } from '../parts/text';
import { VirtualList } from '../parts/virtual_list';
import { clock } from '../format';
import type { FeedEvent } from '../state/feed';
import { Feed as FeedStore } from '../store/feed';
import { texts } from '../store/preferences';
import { explain, type Workspace } from '../store/workspace';

const ROW_HEIGHT = 48;

export function Feed() {
  const workspace = useWorkspace();
  const { live, http } = workspace;
  const words = texts.value.feed;
  const channels = [
    ...ownChannels(workspace),
    ...workspace.rooms.value.map((name) => `room:${name}`),
  ];
  const wanted = useSignal(channels[0] ?? '');
  const name = useSignal('');
  const chosen = channels.includes(wanted.value) ? wanted.value : (channels[0] ?? '');
  const feed = useMemo(() => new FeedStore(http, live, chosen), [http, live, chosen]);
  useEffect(() => {
    void feed.load();
    return () => feed.stop();
  }, [feed]);
  const older = useCallback(() => {
    if (feed.hasOlder.peek()) void feed.older();
  }, [feed]);
  const opened = useSignal<FeedEvent | null>(null);
  const events = feed.events.value.filter(({ event }) => !name.value || event === name.value);
  const names = [...new Set(feed.events.value.map(({ event }) => event))].sort();
  return (
    <div class="column">
      <header class="bar">
        <h1>{words.title}</h1>
        <AsOf />
      </header>
      <div class="filter feed-filter">
        <label>
          {words.channel}
          <select value={chosen} onChange={(event) => (wanted.value = event.currentTarget.value)}>
            {channels.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          {words.filter}
          <select value={name.value} onChange={(event) => (name.value = event.currentTarget.value)}>
            <option value="">{words.all}</option>
            {names.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <Rooms chosen={chosen} onJoined={(room) => (wanted.value = `room:${room}`)} />
      </div>
      {feed.failure.value !== null && <p class="note">{explain(feed.failure.value)}</p>}
      {events.length === 0 && (
        <p class="notice">{feed.isLoading.value ? texts.value.queue.loading : words.empty}</p>
      )}
      <VirtualList
        items={events}
        keyOf={({ id, seq }) => `${id}${seq}`}
        rowHeight={ROW_HEIGHT}
        label={words.title}
        onNearEnd={older}
        draw={(event) => (
          <EventRow event={event} opened={opened.value} onOpen={(each) => (opened.value = each)} />
        )}
      />
      {opened.value && (
        <section class="card raw" aria-label={words.details}>
          <button type="button" class="link" onClick={() => (opened.value = null)}>
            {texts.value.help.close}
          </button>
          <pre tabIndex={0}>
            <Text of={JSON.stringify(opened.value, null, 2)} />
          </pre>
        </section>
      )}
    </div>
  );
}

function ownChannels({ account, isAdmin }: Workspace): string[] {
  const type = account.client_type;
  return [type, `${type}:${isAdmin ? account.id : (account.shop_id ?? account.id)}`];
}

interface RowProps {
  readonly event: FeedEvent;
  readonly opened: FeedEvent | null;
  readonly onOpen: (event: FeedEvent) => void;
}

function EventRow({ event, opened, onOpen }: RowProps) {
  return (
    <button
      type="button"
      class="event"
      aria-pressed={opened?.id === event.id}
      onClick={() => onOpen(event)}
    >
      <time dateTime={event.timestamp}>{clock(Date.parse(event.timestamp))}</time>
      <span class="number">{event.seq}</span>
      <code>{event.event}</code>
      <span class="below">
        <Text of={summary(event.data)} />
      </span>
    </button>
  );
}

/** A summary of an event in one line. */
function summary(data: FeedEvent['data']): string {
  const texts = [data['product_name'], data['title'], data['shop_name'], data['moderation_notes']];
  const found = texts.filter((each) => typeof each === 'string' && each !== '');
  return found.length > 0 ? found.join(' · ') : JSON.stringify(data['changed'] ?? data);
}

function Rooms({ chosen, onJoined }: { chosen: string; onJoined: (room: string) => void }) {
  const workspace = useWorkspace();
  const room = useSignal('');
  const words = texts.value.feed;
  const joined = chosen.startsWith('room:') ? chosen.slice('room:'.length) : null;
  const join = async () => {
    const name = room.peek().trim();
    if (!name) return;
    if (await workspace.joinRoom(name)) onJoined(name);
    room.value = '';
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void join();
      }}
    >
      <label>
        {words.room}
        <input
          value={room.value}
          maxLength={64}
          autocomplete="off"
          onInput={(event) => (room.value = event.currentTarget.value)}
        />
      </label>
      <button class="button small">{words.join}</button>
      {joined && (
        <button type="button" class="button small" onClick={() => workspace.leaveRoom(joined)}>
          {words.leave}
        </button>
      )}
    </form>
  );
}
