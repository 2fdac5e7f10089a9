/** The order in which things happen: one step after another, and the app is told last. */

export type Steps = ReturnType<typeof createSteps>;

/**
 * Runs inputs one at a time: a call that arrives during a step, as a platform calls back at once,
 * waits for its end. What the app is told waits until no step is left, so what it does in a callback
 * is the next input.
 */
export function createSteps(fail: (error: unknown) => void) {
  const inputs: (() => void)[] = [];
  const notices: (() => void)[] = [];
  let isStepping = false;
  let isTelling = false;

  function step(input: () => void): void {
    inputs.push(input);
    if (isStepping) return;
    isStepping = true;
    run(inputs);
    isStepping = false;
    if (isTelling) return;
    isTelling = true;
    run(notices);
    isTelling = false;
  }

  function run(queue: (() => void)[]): void {
    for (let act; (act = queue.shift());) {
      try {
        act();
      } catch (error) {
        fail(error);
      }
    }
  }

  /** Tells the app something after this step. */
  function tell(notice: () => void): void {
    notices.push(notice);
  }

  return { step, tell };
}
