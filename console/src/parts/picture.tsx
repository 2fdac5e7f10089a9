/** A product's picture, from the host of its shop, or a coloured placeholder. */

import { useState } from 'preact/hooks';
import { pictureAddress, type Product } from '../state/product';
import { texts } from '../store/preferences';

const TONES = 5;

export function Picture({ product, isLarge = false }: { product: Product; isLarge?: boolean }) {
  const [failed, setFailed] = useState<string | null>(null);
  const address = pictureAddress(product);
  const words = texts.value.product;
  const size = isLarge ? 'picture large' : 'picture';
  if (!address || address === failed) {
    const tone = `none tone-${product.product_id % TONES}`;
    return (
      <div class={`${size} ${tone}`} aria-hidden={!isLarge}>
        {isLarge && <span>{words.noPicture}</span>}
      </div>
    );
  }
  const picture = (
    <img
      class={size}
      src={address}
      alt={isLarge ? words.pictureOf(product.product_name) : ''}
      referrerpolicy="no-referrer"
      loading="lazy"
      decoding="async"
      onError={() => setFailed(address)}
    />
  );
  if (!isLarge) return picture;
  return (
    <a href={address} target="_blank" rel="noreferrer noopener" title={words.openPicture}>
      {picture}
    </a>
  );
}
