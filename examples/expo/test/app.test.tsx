import { act, fireEvent, render, screen, waitFor } from '@testing-library/react-native';
import { Session, VitrinaClient } from '@vitrina/client';
import { Push } from '@vitrina/client/push';
import { FakeServer, memory } from '@vitrina/client/testing';
import {
  scheduleNotificationAsync,
  setNotificationHandler,
  useLastNotificationResponse,
} from 'expo-notifications';

import { App } from '../src/App';

jest.mock('expo-notifications', () => ({
  addPushTokenListener: () => ({ remove: jest.fn() }),
  getDevicePushTokenAsync: async () => ({ type: 'android', data: 'token-of-the-phone' }),
  requestPermissionsAsync: async () => ({ granted: true }),
  scheduleNotificationAsync: jest.fn(async () => ''),
  setNotificationHandler: jest.fn(),
  useLastNotificationResponse: jest.fn(() => null),
}));

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
let push: Push;

beforeEach(async () => {
  server = new FakeServer();
  server.respond('GET /api/v1/products', { items: [], cursor: null });
  const { url, fetch } = server;
  const session = new Session({ url, secrets: memory(), fetch });
  client = new VitrinaClient({ url, as: 'user', tokens: session, platform: server.platform() });
  push = new Push({ client, store: memory() });
  await render(<App client={client} push={push} session={session} />);
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

test('a banner shows a pause that only the user can end', async () => {
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

/** A push as Android hands it to the app. */
function pushed(id: string) {
  const data = { id, channel: 'user', epoch: 'e1', seq: '1' };
  const content = { title: 'A product was approved', data };
  return { date: 0, request: { identifier: id, content, trigger: { type: 'push' } } } as never;
}

const requests = () => server.requests.map(({ method, url }) => `${method} ${url.pathname}`);

test('the phone is registered by a login, and a logout has the server remove it', async () => {
  await logIn();
  const registration = () => server.requests.find(({ method }) => method === 'PUT');
  const phone = { platform: 'fcm', token: 'token-of-the-phone' };
  await waitFor(() => expect(registration()?.body).toMatchObject(phone));
  await fireEvent.press(await screen.findByText('Log out'));
  await screen.findByText('Log in');
  expect(requests().at(-1)).toBe('POST /api/v1/auth/logout');
  expect(requests().filter((request) => request.startsWith('DELETE'))).toEqual([]);
});

test('an event is shown once, by a push or by the socket', async () => {
  await logIn();
  await waitFor(() => expect(client.status.state).toBe('online'));
  const received = jest.spyOn(push, 'received');
  await approve();
  await waitFor(() => expect(scheduleNotificationAsync).toHaveBeenCalledTimes(1));
  const [{ id }] = received.mock.calls[0] as [{ id: string }];
  const handler = jest.mocked(setNotificationHandler).mock.calls.at(-1)?.[0];
  expect(await handler?.handleNotification(pushed(id))).toMatchObject({ shouldShowBanner: false });
  expect(await handler?.handleNotification(pushed('E2'))).toMatchObject({ shouldShowBanner: true });
});

test('a push that was tapped is opened, and its event is not shown again', async () => {
  const response = { notification: pushed('E7'), actionIdentifier: 'tap' };
  jest.mocked(useLastNotificationResponse).mockReturnValue(response);
  await logIn();
  await screen.findByText('A product was approved');
  expect(await push.received({ id: 'E7' })).toBe('repeat');
});
