/** Concurrent changes of the settings by two people: the differences, and the merged result. */

export type Values = Readonly<Record<string, number | string>>;

/** A field that somebody else has changed meanwhile to another value than here. */
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

/** Merges their changes of fields that were not changed here, and of the chosen fields. */
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
