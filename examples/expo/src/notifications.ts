import type { Events } from '@vitrina/client';
import type { Push } from '@vitrina/client/push';
import { useEvents } from '@vitrina/client/react';
import { scheduleNotificationAsync } from 'expo-notifications';

/** Shows a notification for each product that is approved while the app runs, unless a push was shown. */
export function useNotifications(push: Push): void {
  useEvents('product.approved', (event) => void show(push, event));
}

async function show(push: Push, event: Events['product.approved']): Promise<void> {
  if ((await push.received(event)) === 'repeat') return;
  const content = { title: 'New product', body: event.data.product_name };
  // If the system has shown a push with this id in the background, this notification replaces it.
  await scheduleNotificationAsync({ identifier: event.id, content, trigger: null });
}
