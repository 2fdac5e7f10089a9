/** Runs steps one after another, and the callbacks of the app last. */

export type Steps = ReturnType<typeof createSteps>;

/**
 * Runs inputs one at a time: a call that arrives during a step, for example from a platform that calls
 * back immediately, waits for the end of the step. Callbacks of the app wait until no step is left, so
 * a call that the app makes in a callback is the next input.
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

  /** Calls a callback of the app after this step. */
  function notify(notice: () => void): void {
    notices.push(notice);
  }

  return { step, notify };
}
