/** The sections, and the numbers beside them. */

import { useEffect, useRef } from 'preact/hooks';
import { number } from '../format';
import { useWorkspace } from '../parts/context';
import { Line } from '../parts/chart';
import { linesOf, percentile } from '../state/numbers';
import { texts } from '../store/preferences';
import { VIEWS, VIEWS_OF, type ViewName } from './views';

export function Navigation({ view }: { view: ViewName }) {
  const workspace = useWorkspace();
  const { nav } = texts.value;
  const box = useRef<HTMLElement>(null);
  // On a phone the sections are wider than the screen.
  useEffect(() => {
    const link = box.current?.querySelector('[aria-current]');
    link?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [view]);
  return (
    <nav ref={box} aria-label={nav.title}>
      <ul>
        {VIEWS_OF[workspace.account.client_type].map((each) => (
          <li key={each}>
            <a href={`#/${each}`} aria-current={each === view ? 'page' : undefined}>
              {nav[VIEWS[each].title]}
              {each === 'queue' && <b>{number(workspace.queueLength.value)}</b>}
            </a>
          </li>
        ))}
      </ul>
      {workspace.isAdmin && <Now />}
    </nav>
  );
}

const POINTS = 40;

function Now() {
  const { samples, stats, live } = useWorkspace();
  const { numbers } = texts.value;
  const found = stats.value;
  if (!found) return null;
  const lines = linesOf(samples.value, POINTS, (byType) =>
    Object.values(byType).reduce((sum, each) => sum + each, 0),
  );
  const delay = percentile(live.delays.value, 0.5);
  return (
    <section class="now" aria-labelledby="now">
      <h2 id="now">{numbers.now}</h2>
      <Line lines={lines} width={164} height={54} label={numbers.total} />
      <dl>
        {Object.entries(numbers.types).map(([type, name]) => (
          <div key={type}>
            <dt>{name}</dt>
            <dd>{number(found.by_type[type] ?? 0)}</dd>
          </div>
        ))}
        <div>
          <dt>{numbers.delayShort}</dt>
          <dd>{delay === null ? '—' : numbers.ms(delay)}</dd>
        </div>
      </dl>
    </section>
  );
}
