/** The errors that apps see, each with a code. */

import type { VitrinaErrorLike } from './types.js';

/** A refusal by the server, with its `code` of protocol.md, or a failure on this side. */
export class VitrinaError extends Error implements VitrinaErrorLike {
  override readonly name: string = 'VitrinaError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
