/** Connections over time, events per minute, and their delays. */

import { clock, now, number } from '../format';
import { Bars, Line } from '../parts/chart';
import { useWorkspace } from '../parts/context';
import { eventsPerMinute } from '../state/feed';
import { linesOf, percentile, thinned } from '../state/numbers';
import { texts } from '../store/preferences';

const WIDTH = 480;
const HEIGHT = 120;
const POINTS = 120;
const TABLE_ROWS = 10;
const MINUTES = 60;

export function Numbers() {
  const { stats } = useWorkspace();
  const words = texts.value.numbers;
  return (
    <div class="column padded">
      <h1>{words.title}</h1>
      <div class="cards">
        {Object.keys(words.types).map((type) => (
          <Connections key={type} type={type} />
        ))}
        <EventsPerMinute />
        <Delays />
      </div>
      {stats.value && (
        <p class="meta">
          {words.total}: {number(stats.value.total)} · {words.rooms}: {number(stats.value.rooms)}
        </p>
      )}
      <Table />
    </div>
  );
}

function Connections({ type }: { type: string }) {
  const { samples } = useWorkspace();
  const { numbers: words } = texts.value;
  const lines = linesOf(samples.value, POINTS, (byType) => byType[type] ?? 0);
  const first = samples.value[0];
  const name = words.types[type] ?? type;
  return (
    <section class="card" aria-label={name}>
      <h2>{name}</h2>
      <p class="big number">{number(samples.value.at(-1)?.byType[type]) || words.waiting}</p>
      <Line lines={lines} width={WIDTH} height={HEIGHT} label={name} />
      {first && <p class="meta">{words.since(clock(first.time))}</p>}
    </section>
  );
}

function EventsPerMinute() {
  const { live } = useWorkspace();
  const words = texts.value.numbers;
  const counts = eventsPerMinute(
    live.times.value,
    Math.max(now.value, live.times.value.at(-1) ?? 0),
    MINUTES,
  );
  return (
    <section class="card" aria-label={words.perMinute}>
      <h2>{words.perMinute}</h2>
      <p class="big number">{counts.at(-1)}</p>
      <Bars values={counts} width={WIDTH} height={HEIGHT} label={words.perMinute} />
    </section>
  );
}

function Delays() {
  const { live } = useWorkspace();
  const words = texts.value.numbers;
  const delays = live.delays.value;
  const line = delays.map((value, at) => ({ at, value }));
  const [median, slow] = [percentile(delays, 0.5), percentile(delays, 0.95)];
  return (
    <section class="card" aria-label={words.delay}>
      <h2>{words.delay}</h2>
      {median === null || slow === null ? (
        <p>{words.noDelay}</p>
      ) : (
        <>
          <p class="big number">{words.ms(median)}</p>
          <Line lines={[line]} width={WIDTH} height={HEIGHT} label={words.delay} />
          <p class="meta">
            {words.median} {words.ms(median)} · {words.slow} {words.ms(slow)}
          </p>
        </>
      )}
      <p class="meta">{words.delayText}</p>
    </section>
  );
}

/** The same numbers as a table, for screen readers. */
function Table() {
  const { samples } = useWorkspace();
  const { numbers: words } = texts.value;
  const types = Object.entries(words.types);
  return (
    <details>
      <summary>{words.table}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.time}</th>
            {types.map(([type, name]) => (
              <th key={type} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {thinned(samples.value, TABLE_ROWS).map(({ time, byType }) => (
            <tr key={time}>
              <th scope="row">{clock(time)}</th>
              {types.map(([type]) => (
                <td key={type}>{number(byType[type] ?? 0)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
