/** The filter of a list: status and shop. */

import { numberIn, route } from '../store/route';
import type { ProductStatus } from '../state/product';
import { texts } from '../store/preferences';
import type { ProductList } from '../store/products';

const STATUSES: readonly ProductStatus[] = ['pending', 'approved', 'rejected', 'withdrawn'];

export function StatusFilter({ view, list }: { view: string; list: ProductList }) {
  const { queue, product } = texts.value;
  const { status, shopId } = list.options;
  const show = (nextStatus: string, shop: number | null) => {
    const query = new URLSearchParams();
    if (view !== 'queue') query.set('status', nextStatus);
    if (shop !== null) query.set('shop', String(shop));
    const text = query.toString();
    location.hash = `#/${view}${text && `?${text}`}`;
  };
  return (
    <form
      class="filter"
      onSubmit={(event) => {
        event.preventDefault();
        const found = new FormData(event.currentTarget).get('shop');
        show(status, numberIn(typeof found === 'string' ? found.trim() : null));
      }}
    >
      {view !== 'queue' && (
        <select
          aria-label={product.since.pending}
          value={status}
          onChange={(event) => show(event.currentTarget.value, shopId)}
        >
          {STATUSES.filter((each) => each !== 'pending').map((each) => (
            <option key={each} value={each}>
              {product.statuses[each]}
            </option>
          ))}
        </select>
      )}
      <input
        key={`${route.value.view}${shopId ?? ''}`}
        name="shop"
        inputMode="numeric"
        autocomplete="off"
        placeholder={queue.shop}
        aria-label={queue.shop}
        defaultValue={shopId === null ? '' : String(shopId)}
      />
      {shopId !== null && (
        <button type="button" class="link" onClick={() => show(status, null)}>
          {queue.allShops}
        </button>
      )}
    </form>
  );
}
