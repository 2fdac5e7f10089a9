import type { Events } from '@vitrina/client';
import type { Push } from '@vitrina/client/push';
import { useEvents } from '@vitrina/client/react';
import { scheduleNotificationAsync } from 'expo-notifications';

/** Shows a notification of each product that is approved while the app runs, unless a push did. */
export function useNotifications(push: Push): void {
  useEvents('product.approved', (event) => void show(push, event));
}

async function show(push: Push, event: Events['product.approved']): Promise<void> {
  if ((await push.received(event)) === 'repeat') return;
  const content = { title: 'New product', body: event.data.product_name };
  // The system has shown a push of this id while the app was away: this one takes its place.
  await scheduleNotificationAsync({ identifier: event.id, content, trigger: null });
}
