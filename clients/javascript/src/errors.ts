/** The errors that the client rejects with or reports; each has a `code`. */

/** A refusal by the server, with its `code` of protocol.md, or a failure of the client. */
export class VitrinaError extends Error {
  override readonly name: string = 'VitrinaError';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** There was no readable answer: the request may have been done, or not. */
export class NetworkError extends VitrinaError {
  override readonly name = 'NetworkError';

  constructor(message: string, options?: ErrorOptions) {
    super('network', message, options);
  }
}

/** A problem document (RFC 9457), or any other answer that is not 2xx, whose code is `http_STATUS`. */
export class Problem extends VitrinaError {
  override readonly name = 'Problem';
  readonly status: number;
  readonly title: string;
  readonly detail: string | null;
  /** How long to wait before the same request may succeed. */
  readonly retryAfterSeconds: number | null;
  /** The faults of a `request_invalid`. */
  readonly errors: readonly Fault[];

  constructor(status: number, body: unknown, retryAfter: string | null) {
    const found: Partial<Record<string, unknown>> = isObject(body) ? body : {};
    const title = text(found['title']) ?? text(found['message']) ?? `HTTP ${status}`;
    const detail = text(found['detail']);
    super(text(found['code']) ?? `http_${status}`, detail ?? title);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.retryAfterSeconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : null;
    this.errors = Array.isArray(found['errors']) ? (found['errors'] as Fault[]) : [];
  }
}

/** What is wrong with a field of a request. */
export interface Fault {
  readonly field: string;
  readonly code: string;
  readonly detail: string;
}

const text = (found: unknown): string | null => (typeof found === 'string' ? found : null);

function isObject(found: unknown): found is Record<string, unknown> {
  return typeof found === 'object' && found !== null;
}
