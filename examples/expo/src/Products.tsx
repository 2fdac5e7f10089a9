import { createHttp, type Client } from '@vitrina/client';
import { useEvents, useRefetch, useStatus, useVitrina } from '@vitrina/client/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Button, FlatList, Text } from 'react-native';

type Product = Awaited<ReturnType<typeof load>>[number];

async function load(client: Client) {
  const { data } = await createHttp(client).get('/api/v1/products', { query: { status: 'approved' } });
  return data.items;
}

function useProducts(): readonly Product[] {
  const client = useVitrina();
  const isOnline = useStatus().state === 'online';
  const [products, setProducts] = useState<readonly Product[]>([]);
  const loads = useRef(0);

  const reload = useCallback(async () => {
    const mine = ++loads.current;
    const found = await load(client).catch(() => null); // the next event loads it again
    if (found && mine === loads.current) setProducts(found);
  }, [client]);

  useEffect(() => {
    if (isOnline) void reload();
  }, [isOnline, reload]);
  useEvents('product.approved', reload);
  useEvents('product.withdrawn', reload);
  useRefetch(reload);
  return products;
}

export function Products() {
  const client = useVitrina();

  return (
    <>
      <FlatList
        data={useProducts()}
        keyExtractor={(product) => String(product.product_id)}
        renderItem={({ item }) => <Text>{item.product_name}</Text>}
      />
      <Button title="Log out" onPress={() => void client.logout()} />
    </>
  );
}
