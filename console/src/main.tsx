/** Starts the page. */

import { render } from 'preact';

render(<h1>Vitrina</h1>, document.body);
