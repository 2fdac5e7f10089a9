/** Code of docs/guide.md that is not of examples/expo. */

import { VitrinaError, type Client, type Http } from '@vitrina/client';

export async function joinSale(client: Client): Promise<string> {
  try {
    await client.room('sale').join();
    return 'You get the announcements of the sale.';
  } catch (problem) {
    if (problem instanceof VitrinaError && problem.code === 'room_forbidden') return 'Not for you.';
    throw problem;
  }
}

export async function fetchEvents(http: Http, channel: string, since?: string) {
  const events = [];
  for (;;) {
    const query = { channel, limit: 100, ...(since && { since }) };
    const { data } = await http.get('/api/v1/events', { query });
    since = `${data.position.epoch}:${String(data.position.seq)}`;
    if (!data.recovered) return { isWhole: false, events: [], since };
    events.push(...data.events);
    if (!data.has_more) return { isWhole: true, events, since };
  }
}
