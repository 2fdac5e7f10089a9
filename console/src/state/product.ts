/** A product, and the differences between two versions. */

import type { components } from '@vitrina/client';

export type Product = components['schemas']['Product'];
export type ProductStatus = components['schemas']['Status'];
export type Decision = components['schemas']['Decision'];

/** The fields that a shop writes, in the order in which the page shows them. */
export const FIELDS = ['product_name', 'price', 'description', 'image_url'] as const;
export type Field = (typeof FIELDS)[number];

export function changedFields(before: Product, now: Product): Field[] {
  return FIELDS.filter((field) => (before[field] ?? null) !== (now[field] ?? null));
}

export function latestDecision(product: Product): Decision | null {
  return product.decisions?.at(-1) ?? null;
}

/** Returns the address of a picture that may be requested, or null: only `https:` is. */
export function pictureAddress(product: Product): string | null {
  const { image_url: text } = product;
  if (!text || !URL.canParse(text)) return null;
  const { protocol, href } = new URL(text);
  return protocol === 'https:' ? href : null;
}
