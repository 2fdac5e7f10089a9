/** The moderators' two lists: pending products, and decided products. */

import { useEffect, useMemo } from 'preact/hooks';
import { useWorkspace } from '../parts/context';
import type { ProductStatus } from '../state/product';
import { numberIn, route } from '../store/route';
import { ModerationView } from './moderation';

export function Queue() {
  const workspace = useWorkspace();
  const shopId = numberIn(route.value.query.get('shop'));
  const queue = workspace.queue.value;
  const isOfShop = queue?.list.options.shopId === shopId;
  useEffect(() => {
    if (!isOfShop) workspace.filterQueue(shopId);
  }, [workspace, isOfShop, shopId]);
  if (!queue || !isOfShop) return null;
  const query = shopId === null ? '' : `?shop=${shopId}`;
  return <ModerationView key={query} moderation={queue} view="queue" query={query} />;
}

const DECIDED: readonly ProductStatus[] = ['approved', 'rejected', 'withdrawn'];

export function Products() {
  const workspace = useWorkspace();
  const wanted = route.value.query.get('status');
  const status = DECIDED.find((each) => each === wanted) ?? 'approved';
  const shopId = numberIn(route.value.query.get('shop'));
  const moderation = useMemo(
    () => workspace.moderation(status, shopId),
    [workspace, status, shopId],
  );
  useEffect(() => {
    void moderation.list.load();
    return () => moderation.stop();
  }, [moderation]);
  const query = `?status=${status}${shopId === null ? '' : `&shop=${shopId}`}`;
  return <ModerationView key={query} moderation={moderation} view="products" query={query} />;
}
