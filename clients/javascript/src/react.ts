/** Vitrina's client in React and React Native. */

import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react';

import { watchBanner } from './banner.js';
import type { Client, EventName, Events, Status } from './types.js';

const Context = createContext<Client | null>(null);

/**
 * Starts the client while it is mounted; once, near the root.
 *
 * The client is created outside of any component, so it outlives renderings.
 */
export function VitrinaProvider({
  client,
  children,
}: {
  client: Client;
  children?: ReactNode;
}): ReactNode {
  useEffect(() => {
    client.start();
    return () => void client.stop();
  }, [client]);
  return createElement(Context.Provider, { value: client }, children);
}

/** The client of the provider above. */
export function useVitrina(): Client {
  const client = useContext(Context);
  if (!client) throw new Error('There is no VitrinaProvider above this component.');
  return client;
}

/** The status of the connection; the component renders again with each change. */
export function useStatus(): Status {
  const client = useVitrina();
  const subscribe = useCallback((changed: () => void) => client.onStatus(changed), [client]);
  const read = () => client.status;
  return useSyncExternalStore(subscribe, read, read);
}

/**
 * Calls the listener of the latest rendering with each event, once and in order.
 *
 * `'*'` is every event.
 */
export function useEvents<Name extends EventName>(
  name: Name,
  listener: (event: Events[Name]) => void,
): void;
export function useEvents(name: '*', listener: (event: Events[EventName]) => void): void;
export function useEvents(name: EventName | '*', listener: (event: never) => void): void {
  const client = useVitrina();
  const latest = useLatest(listener);
  useEffect(
    () =>
      client.on(name as '*', (event) => {
        latest.current(event as never);
      }),
    [client, name, latest],
  );
}

/** Calls the listener of the latest rendering with each channel whose events cannot be recovered. */
export function useRefetch(listener: (channel: string) => void): void {
  const client = useVitrina();
  const latest = useLatest(listener);
  useEffect(
    () =>
      client.onRefetch((channel) => {
        latest.current(channel);
      }),
    [client, latest],
  );
}

/** The status that a banner shows, or `null` for an empty banner, as for interruptions shorter than `quietMs`. */
export function useBanner(quietMs?: number): Status | null {
  const client = useVitrina();
  const [banner, show] = useState<Status | null>(null);
  useEffect(() => watchBanner(client, show, quietMs), [client, quietMs]);
  return banner;
}

/** A reference to the value of the latest rendering, for callbacks between renderings. */
function useLatest<Value>(value: Value): { readonly current: Value } {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}
