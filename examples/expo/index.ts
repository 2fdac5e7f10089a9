import { registerRootComponent } from 'expo';
import { createElement } from 'react';

import { App } from './src/App';
import { client, push, session } from './src/vitrina';

registerRootComponent(() => createElement(App, { client, push, session }));
