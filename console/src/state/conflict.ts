/** Two people changed the same settings: what differs, and what comes of it. */

export type Values = Readonly<Record<string, number | string>>;

/** A field that somebody has changed meanwhile, and that is different here. */
export interface Conflict {
  readonly field: string;
  readonly before: number | string;
  readonly mine: number | string;
  readonly theirs: number | string;
}

export function conflicts(before: Values, mine: Values, theirs: Values): Conflict[] {
  return Object.keys(theirs)
    .map((field) => ({
      field,
      before: before[field] ?? '',
      mine: mine[field] ?? '',
      theirs: theirs[field] ?? '',
    }))
    .filter((each) => each.theirs !== each.before && each.theirs !== each.mine);
}

/** Takes their changes of what was not changed here, and of the fields that are chosen. */
export function merge(
  before: Values,
  mine: Values,
  theirs: Values,
  chosen: ReadonlySet<string>,
): Values {
  return Object.fromEntries(
    Object.entries(theirs).map(([field, value]) => {
      const isMine = mine[field] !== before[field] && !chosen.has(field);
      return [field, isMine ? (mine[field] ?? value) : value];
    }),
  );
}
