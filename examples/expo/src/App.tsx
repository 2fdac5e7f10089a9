import type { Client, Session, Status } from '@vitrina/client';
import { useStatus, VitrinaProvider } from '@vitrina/client/react';
import { View } from 'react-native';

import { Banner } from './Banner';
import { Login } from './Login';
import { useNotifications } from './notifications';
import { Products } from './Products';

export function App({ client, session }: { client: Client; session: Session }) {
  return (
    <VitrinaProvider client={client}>
      <Screens session={session} />
    </VitrinaProvider>
  );
}

function Screens({ session }: { session: Session }) {
  useNotifications();
  return (
    <View style={{ flex: 1, paddingTop: 48 }}>
      {needsLogin(useStatus()) ? (
        <Login session={session} />
      ) : (
        <>
          <Banner />
          <Products />
        </>
      )}
    </View>
  );
}

function needsLogin(status: Status): boolean {
  return status.state === 'stopped' && !['not_started', 'asked'].includes(status.reason);
}
