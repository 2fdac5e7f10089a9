import { useEvents } from '@vitrina/client/react';
import { scheduleNotificationAsync } from 'expo-notifications';

/** Shows a notification of each product that is approved while the app runs. */
export function useNotifications(): void {
  useEvents('product.approved', ({ data }) => {
    const content = { title: 'New product', body: data.product_name };
    void scheduleNotificationAsync({ content, trigger: null });
  });
}
