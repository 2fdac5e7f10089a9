/** The page; the account's type determines its views. */

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { number } from '../format';
import { WorkspaceContext, useWorkspace } from '../parts/context';
import { useKeys } from '../parts/keys';
import { ToastList } from '../parts/toasts';
import { texts } from '../store/preferences';
import { route } from '../store/route';
import { isReady, logOut, workspace } from '../store/session';
import { Header } from './header';
import { Help } from './help';
import { Login } from './login';
import { Navigation } from './navigation';
import { viewFor, VIEWS } from './views';

export function App() {
  const found = workspace.value;
  if (!isReady.value) return null;
  if (!found) return <Login />;
  return (
    <WorkspaceContext.Provider value={found}>
      {found.account.client_type === 'user' ? <Nothing /> : <Page />}
    </WorkspaceContext.Provider>
  );
}

function Page() {
  const { account, queueLength } = useWorkspace();
  const isHelpOpen = useSignal(false);
  const { skip, brand, nav } = texts.value;
  const view = viewFor(account.client_type, route.value.view);
  const { title, View } = VIEWS[view];
  const openHelp = () => {
    isHelpOpen.value = true;
  };
  useKeys({ '?': openHelp });
  // The browser's tab shows the length of the queue too.
  const waiting = queueLength.value ? `(${number(queueLength.value)}) ` : '';
  useEffect(() => {
    document.title = `${waiting}${nav[title]} · ${brand}`;
  }, [waiting, nav, title, brand]);
  return (
    <div class="app">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        {skip}
      </a>
      <Header onHelp={openHelp} />
      <Navigation view={view} />
      <main id="main" tabIndex={-1} class={`view-${view}`}>
        <View key={view} />
      </main>
      <ToastList />
      {isHelpOpen.value && (
        <Help
          onClose={() => {
            isHelpOpen.value = false;
          }}
        />
      )}
    </div>
  );
}

/** Buyers have an account, but no views here. */
function Nothing() {
  const words = texts.value.login;
  return (
    <main class="login">
      <div class="card">
        <h1>{words.none}</h1>
        <p>{words.noneText}</p>
        <button type="button" class="button" onClick={() => void logOut()}>
          {words.out}
        </button>
      </div>
    </main>
  );
}
