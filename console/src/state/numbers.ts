/** Numbers over time: of connections, and of milliseconds. */

export interface Sample {
  readonly time: number;
  readonly byType: Readonly<Record<string, number>>;
}

/** Two hours of a sample every five seconds. */
const MAX_SAMPLES = 1440;
const MAX_DELAYS = 200;
const HEADROOM = 1.2;

export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  return [...samples, sample].slice(-MAX_SAMPLES);
}

export function withDelay(delays: readonly number[], ms: number): number[] {
  return [...delays, ms].slice(-MAX_DELAYS);
}

/** Returns the value that a part of the values does not exceed, or null without values. */
export function percentile(values: readonly number[], part: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null;
}

/** Returns at most `count` of the values, evenly spaced, the last one among them. */
export function thinned<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values];
  const step = (values.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => values[Math.round(index * step)] as T);
}

/** Returns the `d` of an SVG path through values, in a box from zero to a little above their maximum. */
export function linePath(values: readonly number[], width: number, height: number): string {
  const max = HEADROOM * Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map(
    (value, index) =>
      `${(index * step).toFixed(1)} ${(height - (value / max) * height).toFixed(1)}`,
  );
  return points.length > 0 ? `M${points.join('L')}` : '';
}
