import { expectTypeOf, test } from 'vitest';

import type { components } from '../src/api.js';
import type { Http } from '../src/http.js';
import type { Events } from '../src/types.js';

test('calls have the types of openapi.json', () => {
  const use = async (http: Http) => {
    const listed = await http.get('/api/v1/products', { query: { status: 'approved' } });
    expectTypeOf(listed.data.items[0]?.product_name).toEqualTypeOf<string | undefined>();

    const decided = await http.post('/api/v1/admin/products/{product_id}/approve', {
      path: { product_id: 7 },
      ifMatch: 3,
      body: {},
    });
    expectTypeOf(decided.data).toEqualTypeOf<components['schemas']['Decided']>();

    const ended = await http.delete('/api/v1/me/sessions');
    expectTypeOf(ended.data).toEqualTypeOf<undefined>();

    await http.get('/api/v1/me');
    await http.put('/api/v1/products/{product_id}', {
      path: { product_id: 7 },
      ifMatch: '"3"',
      body: { product_name: 'Dress' },
    });
    await http.post('/api/v1/products', { body: { product_name: 'Dress' }, idempotencyKey: 'K' });

    // @ts-expect-error settings are replaced at a version only
    await http.put('/api/v1/admin/settings', { body: { approval_fee: 5, currency: 'EUR' } });
    // @ts-expect-error the path has a number
    await http.get('/api/v1/products/{product_id}');
    // @ts-expect-error no such status
    await http.get('/api/v1/products', { query: { status: 'approve' } });
    // @ts-expect-error no such method
    await http.delete('/api/v1/me');
    // @ts-expect-error a session refreshes by itself
    await http.post('/api/v1/auth/refresh', { body: { refresh_token: '' } });
    // @ts-expect-error the body is missing
    await http.post('/api/v1/products');
  };
  expectTypeOf(use).toBeFunction();
});

test('the name of an event determines its type', () => {
  expectTypeOf<Events['product.approved']['data']['product_id']>().toEqualTypeOf<number>();
  expectTypeOf<
    Events['announcement.published']['event']
  >().toEqualTypeOf<'announcement.published'>();
});
