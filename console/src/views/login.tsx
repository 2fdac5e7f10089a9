/** The login. */

import { useSignal } from '@preact/signals';
import { logIn, notice } from '../store/session';
import { texts } from '../store/preferences';
import { explain } from '../store/workspace';
import { Appearance } from './appearance';

export function Login() {
  const words = texts.value.login;
  const isBusy = useSignal(false);
  const refusal = useSignal('');
  const submit = async (form: HTMLFormElement) => {
    if (isBusy.peek()) return;
    const fields = new FormData(form);
    isBusy.value = true;
    refusal.value = '';
    try {
      await logIn(textOf(fields, 'email'), textOf(fields, 'password'));
    } catch (error) {
      refusal.value = explain(error);
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <main class="login">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <h1>{texts.value.brand}</h1>
        {notice.value && <p class="note">{words[notice.value]}</p>}
        <label for="email">{words.email}</label>
        <input id="email" name="email" type="email" autocomplete="username" required autofocus />
        <label for="password">{words.password}</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
        />
        <p class="problem" role="alert">
          {refusal}
        </p>
        <button class="button go" aria-disabled={isBusy.value}>
          {isBusy.value ? words.going : words.go}
        </button>
      </form>
      <Appearance />
    </main>
  );
}

export function textOf(fields: FormData, name: string): string {
  const found = fields.get(name);
  return typeof found === 'string' ? found : '';
}
