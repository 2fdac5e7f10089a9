/** An account by its email address: its sessions and connections, with buttons to end them. */

import type { Account, components } from '@vitrina/client';
import { useSignal } from '@preact/signals';
import { useWorkspace } from '../parts/context';
import { Question } from '../parts/dialog';
import { Age, Moment, Text } from '../parts/text';
import { codeOf } from '../state/problems';
import { texts } from '../store/preferences';
import { textOf } from './login';

type Activity = components['schemas']['Activity'];
type SessionProfile = components['schemas']['SessionProfile'];

interface Found {
  readonly account: Account;
  readonly activity: Activity;
}

/** The action that waits for a confirmation: to end a session, or all of them. */
type Asked = { readonly session: string } | 'disconnect' | null;

export function Accounts() {
  const workspace = useWorkspace();
  const { http, toasts } = workspace;
  const words = texts.value.accounts;
  const found = useSignal<Found | 'none' | null>(null);
  const asked = useSignal<Asked>(null);

  const look = async (account: Account) => {
    const { data } = await http.get('/api/v1/admin/accounts/{account_id}/sessions', {
      path: { account_id: account.id },
      query: { client_type: account.client_type },
    });
    found.value = { account, activity: data };
  };
  const find = async (email: string) => {
    try {
      const { data } = await http.get('/api/v1/admin/accounts', { query: { email } });
      await look(data);
    } catch (error) {
      if (codeOf(error) === 'account_not_found') found.value = 'none';
      else workspace.refused(error);
    }
  };
  const end = async (account: Account, session: string) => {
    await http.delete('/api/v1/admin/accounts/{account_id}/sessions/{session_id}', {
      path: { account_id: account.id, session_id: session },
    });
    toasts.add('info', words.ended);
  };
  const disconnect = async (account: Account) => {
    const { data } = await http.post('/api/v1/admin/accounts/{account_id}/disconnect', {
      path: { account_id: account.id },
      query: { client_type: account.client_type },
    });
    toasts.add('info', words.disconnected(data.closed));
  };
  const answer = async (isYes: boolean) => {
    const what = asked.peek();
    const shown = found.peek();
    asked.value = null;
    if (!isYes || !what || !shown || shown === 'none') return;
    try {
      if (what === 'disconnect') await disconnect(shown.account);
      else await end(shown.account, what.session);
      await look(shown.account);
    } catch (error) {
      workspace.refused(error);
    }
  };

  return (
    <div class="column padded">
      <h1>{words.title}</h1>
      <form
        class="filter"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          void find(textOf(new FormData(event.currentTarget), 'email').trim());
        }}
      >
        <label>
          {words.email}
          <input name="email" type="email" required autocomplete="off" />
        </label>
        <button class="button">{words.find}</button>
      </form>
      <div aria-live="polite">
        {found.value === 'none' && <p class="notice">{words.none}</p>}
        {found.value && found.value !== 'none' && (
          <AccountCard found={found.value} onAsk={(what) => (asked.value = what)} />
        )}
      </div>
      {asked.value && (
        <Question
          question={asked.value === 'disconnect' ? words.disconnectAsk : words.endAsk}
          onAnswer={(isYes) => void answer(isYes)}
        />
      )}
    </div>
  );
}

function AccountCard({ found, onAsk }: { found: Found; onAsk: (what: Asked) => void }) {
  const { account, activity } = found;
  const { accounts: words, numbers } = texts.value;
  return (
    <section class="card" aria-labelledby="account">
      <h2 id="account">
        <Text of={account.shop_name ?? account.email ?? ''} />
      </h2>
      <p class="meta">
        {numbers.types[account.client_type]} · {words.account(account.id)} ·{' '}
        {account.shop_id && `${words.shop(account.shop_id)} · `}
        {words.open(activity.connections.length)}
      </p>
      <h3>{words.sessions}</h3>
      {activity.sessions.length === 0 && <p>{words.noSessions}</p>}
      <ul class="sessions">
        {activity.sessions.map((session) => (
          <SessionRow key={session.id} session={session} activity={activity} onAsk={onAsk} />
        ))}
      </ul>
      <div class="actions">
        <button type="button" class="button bad" onClick={() => onAsk('disconnect')}>
          {words.disconnect}
        </button>
      </div>
    </section>
  );
}

interface RowProps {
  readonly session: SessionProfile;
  readonly activity: Activity;
  readonly onAsk: (what: Asked) => void;
}

function SessionRow({ session, activity, onAsk }: RowProps) {
  const words = texts.value.accounts;
  const open = activity.connections.filter((each) => each.session_id === session.id).length;
  return (
    <li>
      <div>
        <b>
          <Text of={session.device_name ?? words.unnamed} />
        </b>{' '}
        {session.current && <span class="chip">{words.current}</span>}
        <p class="meta">
          {words.created} <Moment of={session.created_at} /> · {words.used}{' '}
          <Age of={session.last_used_at} style="ago" /> · {words.open(open)}
        </p>
      </div>
      <button type="button" class="button small" onClick={() => onAsk({ session: session.id })}>
        {words.end}
      </button>
    </li>
  );
}
