import { act, fireEvent, render, screen, waitFor } from '@testing-library/react-native';
import { Session, VitrinaClient } from '@vitrina/client';
import { FakeServer, memory } from '@vitrina/client/testing';
import { scheduleNotificationAsync } from 'expo-notifications';

import { App } from '../src/App';

jest.mock('expo-notifications', () => ({ scheduleNotificationAsync: jest.fn() }));

const DRESS = {
  product_id: 7,
  product_name: 'Red dress',
  shop_id: 10,
  shop_name: 'Fashion Store',
  moderation_status: 'approved' as const,
  moderation_notes: '',
  admin_id: 1,
  approval_fee: 5,
};

let server: FakeServer;
let client: VitrinaClient;

beforeEach(async () => {
  server = new FakeServer();
  server.respond('GET /api/v1/products', { items: [], cursor: null });
  const { url, fetch } = server;
  const session = new Session({ url, secrets: memory(), fetch });
  client = new VitrinaClient({ url, as: 'user', tokens: session, platform: server.platform() });
  await render(<App client={client} session={session} />);
});

async function logIn(password = 'password') {
  await fireEvent.changeText(await screen.findByPlaceholderText('Email'), 'user@example.com');
  await fireEvent.changeText(screen.getByPlaceholderText('Password'), password);
  await fireEvent.press(screen.getByText('Log in'));
}

async function approve() {
  server.respond('GET /api/v1/products', { items: [DRESS], cursor: null });
  await act(() => server.publish('product.approved', DRESS));
}

test('a wrong password is refused, and the right one shows the products', async () => {
  await logIn('wrong');
  await waitFor(() => expect(screen.getByRole('alert').props.children).not.toBe(''));
  await logIn();
  await screen.findByText('Log out');
});

test('an approval is notified, and the list shows it', async () => {
  await logIn();
  await waitFor(() => expect(client.status.state).toBe('online'));
  await approve();
  await screen.findByText('Red dress');
  expect(scheduleNotificationAsync).toHaveBeenCalledTimes(1);
});

test('what was approved in a tunnel is there after it, and notified once', async () => {
  await logIn();
  await waitFor(() => expect(client.status.state).toBe('online'));
  server.isReachable = false;
  await act(() => server.disconnect());
  await approve();
  server.isReachable = true;
  await screen.findByText('Red dress', {}, { timeout: 5000 });
  expect(scheduleNotificationAsync).toHaveBeenCalledTimes(1);
});

test('a banner says what only the user can end', async () => {
  await logIn();
  await waitFor(() => expect(client.status.state).toBe('online'));
  await act(() => server.disconnect('too_many_connections'));
  await fireEvent.press(screen.getByText('Use this device'));
  await waitFor(() => expect(client.status.state).toBe('online'));
});

test('logging out, here or by an administrator, shows the login', async () => {
  await logIn();
  await fireEvent.press(await screen.findByText('Log out'));
  await screen.findByText('Log in');
  await logIn();
  await screen.findByText('Log out');
  await act(() => server.endSessions());
  await screen.findByText('Log in');
});
