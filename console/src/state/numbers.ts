/** Numbers over time: of connections, and of milliseconds. */

export interface Sample {
  readonly time: number;
  readonly byType: Readonly<Record<string, number>>;
}

export const SAMPLE_MS = 5000;
/** The number of samples in two hours. */
const MAX_SAMPLES = 1440;
const MAX_GAP_MS = 4 * SAMPLE_MS;
const MAX_DELAYS = 200;
const HEADROOM = 1.2;

export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  return [...samples, sample].slice(-MAX_SAMPLES);
}

export function withDelay(delays: readonly number[], ms: number): number[] {
  return [...delays, ms].slice(-MAX_DELAYS);
}

/** Returns the quantile of the values, or null without values. */
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

/** A value, and its place on the line: a time, or an index. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** Splits the samples at gaps, when the page was hidden or closed. */
export function withoutGaps(samples: readonly Sample[]): Sample[][] {
  const parts: Sample[][] = [];
  for (const sample of samples) {
    const part = parts.at(-1);
    const before = part?.at(-1);
    if (part && before && sample.time - before.time <= MAX_GAP_MS) part.push(sample);
    else parts.push([sample]);
  }
  return parts;
}

/**
 * Returns about `count` points of the samples, split at gaps.
 *
 * Each part has at least two points, so that it is a line.
 */
export function linesOf(
  samples: readonly Sample[],
  count: number,
  read: (byType: Sample['byType']) => number,
): Point[][] {
  return withoutGaps(samples).map((part) => {
    const share = Math.max(2, Math.round((count * part.length) / samples.length));
    return thinned(part, share).map(({ time, byType }) => ({ at: time, value: read(byType) }));
  });
}

/**
 * Returns the `d` of an SVG path for each line, in a box from zero to a little above their maximum.
 *
 * The lines share the box: the first point of all is at its left, the last one at its right.
 */
export function linePaths(
  lines: readonly (readonly Point[])[],
  width: number,
  height: number,
): { readonly line: string; readonly area: string }[] {
  const points = lines.flat();
  const max = HEADROOM * Math.max(1, ...points.map(({ value }) => value));
  const begin = points[0]?.at ?? 0;
  const length = Math.max(1, (points.at(-1)?.at ?? 0) - begin);
  const x = ({ at }: Point) => (((at - begin) / length) * width).toFixed(1);
  const y = ({ value }: Point) => (height - (value / max) * height).toFixed(1);
  return lines.flatMap((each) => {
    const [first, last] = [each[0], each.at(-1)];
    if (!first || !last) return [];
    const line = `M${each.map((point) => `${x(point)} ${y(point)}`).join('L')}`;
    return [{ line, area: `${line}V${height}H${x(first)}Z` }];
  });
}

/** Reads stored samples (JSON) without those that are too old; returns none for any other text. */
export function readSamples(kept: string | null, now: number): Sample[] {
  try {
    const found: unknown = JSON.parse(kept ?? '[]');
    if (!Array.isArray(found)) return [];
    const samples = found as (Partial<Sample> | null)[];
    return samples
      .filter((each): each is Sample => typeof each?.time === 'number' && !!each.byType)
      .filter(({ time }) => time > now - MAX_SAMPLES * SAMPLE_MS && time <= now);
  } catch {
    return [];
  }
}
