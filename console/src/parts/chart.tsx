/** Lines and bars of numbers over time. */

import { linePath } from '../state/numbers';

interface Props {
  readonly values: readonly number[];
  readonly width: number;
  readonly height: number;
  readonly label: string;
}

const MARGIN = 2;

export function Line({ values, width, height, label }: Props) {
  const line = linePath(values, width, height - MARGIN);
  return (
    <svg
      class="chart"
      viewBox={`0 -${MARGIN} ${width} ${height}`}
      role="img"
      aria-label={label}
      preserveAspectRatio="none"
    >
      {line && <path class="area" d={`${line}V${height}H0Z`} />}
      {line && <path class="line" d={line} />}
    </svg>
  );
}

export function Bars({ values, width, height, label }: Props) {
  const max = Math.max(1, ...values);
  const step = width / Math.max(1, values.length);
  return (
    <svg
      class="chart"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={label}
      preserveAspectRatio="none"
    >
      {values.map((value, index) => {
        const tall = (value / max) * height;
        return (
          <rect
            class="bar"
            key={index}
            x={index * step}
            y={height - tall}
            width={step * 0.75}
            height={tall}
          />
        );
      })}
    </svg>
  );
}
