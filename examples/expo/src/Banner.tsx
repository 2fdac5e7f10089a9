import type { Status } from '@vitrina/client';
import { useBanner, useVitrina } from '@vitrina/client/react';
import { Button, Text, View } from 'react-native';

export function Banner() {
  const client = useVitrina();
  const status = useBanner();
  if (!status) return null;
  return (
    <View>
      <Text role="status">{TEXTS[status.state]}</Text>
      {status.state === 'paused' && (
        <Button title="Use this device" onPress={() => client.start()} />
      )}
    </View>
  );
}

const TEXTS: Record<Status['state'], string> = {
  connecting: 'Connecting…',
  catching_up: 'Updating…',
  offline: 'No connection',
  paused: 'Open on too many devices',
  online: '',
  stopped: '',
};
