/** Starts the page. */

import { render } from 'preact';
import { restore } from './store/session';
import { App } from './views/app';

render(<App />, document.body);
void restore();
