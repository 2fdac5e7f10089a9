import { Problem, type Session } from '@vitrina/client';
import { useVitrina } from '@vitrina/client/react';
import { useState } from 'react';
import { Button, Text, TextInput, View } from 'react-native';

export function Login({ session }: { session: Session }) {
  const client = useVitrina();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [failure, setFailure] = useState('');

  async function logIn() {
    setFailure('');
    try {
      await session.login(email, password, { deviceName: 'My phone' });
      client.start();
    } catch (problem) {
      setFailure(problem instanceof Problem ? problem.message : 'No connection');
    }
  }

  return (
    <View>
      <TextInput placeholder="Email" autoCapitalize="none" onChangeText={setEmail} />
      <TextInput placeholder="Password" secureTextEntry onChangeText={setPassword} />
      <Button title="Log in" onPress={() => void logIn()} />
      <Text role="alert">{failure}</Text>
    </View>
  );
}
