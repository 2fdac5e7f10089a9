/** A component that is drawn again when a property or a signal that it reads changes. */

import { Component, type FunctionComponent } from 'preact';

export function memo<P extends object>(Draw: FunctionComponent<P>) {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const now: P = this.props;
      return (Object.keys(next) as (keyof P)[]).some((name) => next[name] !== now[name]);
    }

    override render() {
      return <Draw {...this.props} />;
    }
  };
}
