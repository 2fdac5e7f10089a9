/** A long list that renders only the visible rows. */

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Props<T> {
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string | number;
  readonly rowHeight: number;
  readonly label: string;
  /** The row to keep in sight. */
  readonly currentIndex?: number;
  readonly draw: (item: T) => ComponentChildren;
  readonly classOf?: (item: T) => string;
  /** Called while the end of the list is near. */
  readonly onNearEnd?: () => void;
}

const OVERSCAN = 4;
const NEAR_ROWS = 40;

export function VirtualList<T>(props: Props<T>) {
  const { items, keyOf, rowHeight, label, currentIndex = -1, draw, classOf, onNearEnd } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [seen, setSeen] = useState(12);
  const first = Math.max(0, Math.min(top, items.length) - OVERSCAN);
  const last = Math.min(items.length, top + seen + OVERSCAN);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const look = () => {
      setTop(Math.floor(element.scrollTop / rowHeight));
      setSeen(Math.ceil(element.clientHeight / rowHeight) + 1);
    };
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [rowHeight]);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element || currentIndex < 0) return;
    const top = currentIndex * rowHeight;
    const bottom = top + rowHeight - element.clientHeight;
    if (element.scrollTop > top) element.scrollTop = top;
    else if (element.scrollTop < bottom) element.scrollTop = bottom;
  }, [currentIndex, rowHeight]);

  useLayoutEffect(() => {
    if (last > items.length - NEAR_ROWS) onNearEnd?.();
  }, [last, items.length, onNearEnd]);

  return (
    <div class="scroller" ref={box}>
      <ul
        class="rows"
        aria-label={label}
        style={{ height: `${items.length * rowHeight}px`, '--row-height': `${rowHeight}px` }}
      >
        {items.slice(first, last).map((item, offset) => (
          <li
            key={keyOf(item)}
            class={classOf?.(item) ?? ''}
            aria-setsize={items.length}
            aria-posinset={first + offset + 1}
            style={{ transform: `translateY(${(first + offset) * rowHeight}px)` }}
          >
            {draw(item)}
          </li>
        ))}
      </ul>
    </div>
  );
}
