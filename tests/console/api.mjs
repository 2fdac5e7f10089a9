// Actions of other people while a page is open: requests to the stack at the URL in the environment.

import { randomUUID } from 'node:crypto';

const { URL: HOST, PASSWORD } = process.env;
const tokens = new Map();

/** Returns the answer to a request of `who`: `admin`, `shop`, `user`, or nobody. */
export async function ask(method, path, { who, ...more } = {}) {
  const answer = await send(method, path, { who, ...more });
  if (!who || answer.status !== 401) return answer;
  // Logins of pages end the account's first sessions.
  tokens.delete(who);
  return send(method, path, { who, ...more });
}

async function send(method, path, { who, body, headers = {} }) {
  const response = await fetch(HOST + path, {
    method,
    headers: {
      ...(who && { Authorization: `Bearer ${await token(who)}` }),
      ...(body && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null, headers: response.headers };
}

async function token(who) {
  if (!tokens.has(who)) {
    const body = { email: `${who}@example.com`, password: PASSWORD };
    tokens.set(who, ask('POST', '/api/v1/auth/login', { body }).then((answer) => answer.body.access_token));
  }
  return tokens.get(who);
}

/** Returns the body of an answer; throws if it is a refusal. */
export async function done(method, path, more) {
  const answer = await ask(method, path, more);
  if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

let products = 0;

/** Submits a product of the shop, and returns it. */
export function submit(fields = {}) {
  products += 1;
  const body = { product_name: `Платье ${products}`, price: 4990, ...fields };
  return done('POST', '/api/v1/products', { who: 'shop', body });
}

// Each request at the same moment needs a process of its own in the local cloud.
const AT_ONCE = 3;

/** Submits several products, a few at once. */
export async function submitMany(count) {
  const made = [];
  const worker = async () => {
    while (made.length < count) {
      const place = made.push(null) - 1;
      made[place] = await submit();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return made;
}

export function edit(product, fields) {
  const body = { product_name: product.product_name, price: product.price, ...fields };
  return done('PUT', `/api/v1/products/${product.product_id}`, { who: 'shop', body });
}

export function approve(product, notes = 'Хорошо') {
  return done('POST', `/api/v1/admin/products/${product.product_id}/approve`, {
    who: 'admin',
    body: { moderation_notes: notes },
    headers: { 'Idempotency-Key': randomUUID() },
  });
}

/** Approves every pending product, so that the queue is empty. */
export async function emptyQueue() {
  for (;;) {
    const page = await done('GET', '/api/v1/admin/moderation/queue?limit=100', { who: 'admin' });
    if (page.items.length === 0) return;
    const seen = page.items.map(({ product_id, version }) => ({ product_id, version }));
    const body = { products: seen, moderation_notes: 'Пусто' };
    await done('POST', '/api/v1/admin/products/bulk-approve', { who: 'admin', body });
  }
}
