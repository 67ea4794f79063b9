/** Puts the page in its place. */
import { render } from 'preact';
import { App } from './app.js';

render(<App />, document.getElementById('app')!);
