import type { Client, Session, Status } from '@vitrina/client';
import type { Push } from '@vitrina/client/push';
import { useStatus, VitrinaProvider } from '@vitrina/client/react';
import { Text, View } from 'react-native';

import { Banner } from './Banner';
import { Login } from './Login';
import { useNotifications } from './notifications';
import { Products } from './Products';
import { useRegistration, useTapped } from './push';

export function App({ client, push, session }: { client: Client; push: Push; session: Session }) {
  return (
    <VitrinaProvider client={client}>
      <Screens push={push} session={session} />
    </VitrinaProvider>
  );
}

function Screens({ push, session }: { push: Push; session: Session }) {
  const isLoggedIn = !needsLogin(useStatus());
  useNotifications(push);
  useRegistration(push, session, isLoggedIn);
  const tapped = useTapped(push);
  return (
    <View style={{ flex: 1, paddingTop: 48 }}>
      {isLoggedIn ? (
        <>
          <Banner />
          <Text role="heading">{tapped}</Text>
          <Products />
        </>
      ) : (
        <Login session={session} />
      )}
    </View>
  );
}

function needsLogin(status: Status): boolean {
  return status.state === 'stopped' && !['not_started', 'asked'].includes(status.reason);
}
