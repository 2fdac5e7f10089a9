/** The platform's settings; after a conflict both versions are shown. */

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { components } from '@vitrina/client';
import { useWorkspace } from '../parts/context';
import { conflicts, merge, type Values } from '../state/conflict';
import { codeOf } from '../state/problems';
import { texts } from '../store/preferences';
import { ConflictTable } from './conflict_table';

type PlatformSettings = components['schemas']['PlatformSettings'];

const FIELDS = ['approval_fee', 'currency', 'longest_notes', 'shortest_rejection_notes'] as const;

const MAX_FEE = 9_999_999_999.99;
const MAX_CHARACTERS = 1000;

interface Version {
  readonly values: Values;
  readonly etag: string;
}

export function Settings() {
  const workspace = useWorkspace();
  const { http, toasts, live } = workspace;
  const words = texts.value.settings;
  const before = useSignal<Version | null>(null);
  const mine = useSignal<Values | null>(null);
  const theirs = useSignal<Version | null>(null);

  const read = async () => {
    try {
      const { data, etag } = await http.get('/api/v1/admin/settings');
      const found = { values: valuesOf(data), etag: etag ?? '' };
      const base = before.peek();
      const edited = mine.peek();
      if (base?.etag === found.etag) return;
      if (base && edited && conflicts(base.values, edited, found.values).length > 0) {
        theirs.value = found;
        return;
      }
      mine.value =
        base && edited ? merge(base.values, edited, found.values, new Set()) : found.values;
      before.value = found;
    } catch (error) {
      workspace.refused(error);
    }
  };
  useEffect(() => {
    void read();
    return live.on((event) => {
      if (event.event === 'settings.updated') void read();
    });
  }, []);

  const save = async () => {
    const base = before.peek();
    const values = mine.peek();
    if (!base || !values) return;
    try {
      const body = values as unknown as PlatformSettings;
      const { data, etag } = await http.put('/api/v1/admin/settings', { body, ifMatch: base.etag });
      before.value = { values: valuesOf(data), etag: etag ?? '' };
      mine.value = valuesOf(data);
      workspace.settings.value = data;
      toasts.add('info', texts.peek().toast.saved);
    } catch (error) {
      workspace.refused(error);
      if (codeOf(error) === 'settings_changed') await read();
    }
  };
  const settle = (chosen: ReadonlySet<string>) => {
    const [base, edited, found] = [before.peek(), mine.peek(), theirs.peek()];
    if (!base || !edited || !found) return;
    mine.value = merge(base.values, edited, found.values, chosen);
    before.value = found;
    theirs.value = null;
  };

  const values = mine.value;
  return (
    <div class="column padded">
      <h1>{words['title']}</h1>
      {values && (
        <form
          class="card fields"
          onSubmit={(event) => {
            event.preventDefault();
            if (!theirs.peek()) void save();
          }}
        >
          {FIELDS.map((field) => (
            <Setting
              key={field}
              field={field}
              value={values[field] ?? ''}
              onInput={(value) => {
                mine.value = { ...values, [field]: value };
              }}
            />
          ))}
          <div class="actions">
            <button class="button go" aria-disabled={theirs.value !== null}>
              {words['save']}
            </button>
          </div>
        </form>
      )}
      {values && before.value && theirs.value && (
        <ConflictTable
          conflicts={conflicts(before.value.values, values, theirs.value.values)}
          onSettle={settle}
        />
      )}
    </div>
  );
}

function valuesOf(settings: PlatformSettings): Values {
  return Object.fromEntries(FIELDS.map((field) => [field, settings[field] ?? '']));
}

interface SettingProps {
  readonly field: (typeof FIELDS)[number];
  readonly value: number | string;
  readonly onInput: (value: number | string) => void;
}

function Setting({ field, value, onInput }: SettingProps) {
  const label = texts.value.settings[field];
  if (field === 'currency') {
    return (
      <label>
        {label}
        <input
          required
          pattern="[A-Z]{3}"
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </label>
    );
  }
  const isFee = field === 'approval_fee';
  return (
    <label>
      {label}
      <input
        required
        type="number"
        step={isFee ? '0.01' : '1'}
        min={isFee ? 0 : 1}
        max={isFee ? MAX_FEE : MAX_CHARACTERS}
        value={value}
        onInput={({ currentTarget: { value: text } }) => onInput(text === '' ? '' : Number(text))}
      />
    </label>
  );
}
