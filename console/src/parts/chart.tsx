/** Lines and bars of numbers over time. */

import { linePaths, type Point } from '../state/numbers';

interface Size {
  readonly width: number;
  readonly height: number;
  readonly label: string;
}

/** A gap between two lines means that there are no samples. */
interface LineProps extends Size {
  readonly lines: readonly (readonly Point[])[];
}

interface BarsProps extends Size {
  readonly values: readonly number[];
}

const MARGIN = 2;

export function Line({ lines, width, height, label }: LineProps) {
  return (
    <svg
      class="chart"
      viewBox={`0 -${MARGIN} ${width} ${height}`}
      role="img"
      aria-label={label}
      preserveAspectRatio="none"
    >
      {linePaths(lines, width, height - MARGIN).map(({ line, area }) => (
        <g key={area}>
          <path class="area" d={area} />
          <path class="line" d={line} />
        </g>
      ))}
    </svg>
  );
}

export function Bars({ values, width, height, label }: BarsProps) {
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
