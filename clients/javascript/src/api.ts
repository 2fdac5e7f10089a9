// Generated from functions/openapi/openapi.json by `npm run types`.

export interface paths {
  '/api/v1/admin/accounts': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Find the account of an email address
     * @description Find the account of an email address.
     */
    get: operations['findAccount'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/accounts/{account_id}/disconnect': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Refuse the account's present tokens, and close its connections
     * @description Refuse the account's present tokens, and close its connections.
     *
     *     `client_type` selects one of several accounts with this number; only another issuer has such.
     */
    post: operations['disconnectAccount'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/accounts/{account_id}/sessions': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the sessions and the open connections of an account
     * @description List the sessions and the open connections of an account.
     *
     *     `client_type` selects one of several accounts with this number; only another issuer has such.
     */
    get: operations['listAccountSessions'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/accounts/{account_id}/sessions/{session_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * End a session of an account, and close its connections
     * @description End a session of an account, and close its connections.
     *
     *     The response is the same if the session has already ended.
     */
    delete: operations['endAccountSession'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/announcements': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Publish an announcement to everyone of a type, to one identity or to a room
     * @description Publish an announcement to everyone of a type, to one identity or to a room.
     */
    post: operations['publishAnnouncement'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/moderation/queue': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List pending products, of one shop or of all, the oldest first, with their number
     * @description List pending products, of one shop or of all, the oldest first, with their number.
     */
    get: operations['listModerationQueue'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/products/bulk-approve': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Approve 1 to 100 products, each independently, with a result for each
     * @description Approve 1 to 100 products, each independently, with a result for each.
     */
    post: operations['bulkApproveProducts'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/products/bulk-reject': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Reject 1 to 100 products for one reason, each independently, with a result for each
     * @description Reject 1 to 100 products for one reason, each independently, with a result for each.
     */
    post: operations['bulkRejectProducts'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/products/{product_id}/approve': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Approve a pending product at the fee in force, and notify everyone
     * @description Approve a pending product at the fee in force, and notify everyone.
     */
    post: operations['approveProduct'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/products/{product_id}/reject': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Reject a pending product with a reason, and notify its shop and the administrators
     * @description Reject a pending product with a reason, and notify its shop and the administrators.
     */
    post: operations['rejectProduct'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/products/{product_id}/withdraw': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Take an approved product out of public view with a reason, and notify everyone
     * @description Take an approved product out of public view with a reason, and notify everyone.
     */
    post: operations['withdrawProduct'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/admin/settings': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read the platform's settings
     * @description Read the platform's settings.
     */
    get: operations['getSettings'];
    /**
     * Replace the platform's settings, and notify everyone of the changes
     * @description Replace the platform's settings, and notify everyone of the changes.
     */
    put: operations['replaceSettings'];
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/login': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Begin a session with an email and a password
     * @description Begin a session with an email and a password.
     */
    post: operations['logIn'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/logout': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * End the session of an access token, and close its connections
     * @description End the session of an access token, and close its connections.
     *
     *     The response is the same if the session has already ended.
     */
    post: operations['logOut'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/refresh': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Exchange a refresh token for an access token and the next refresh token
     * @description Exchange a refresh token for an access token and the next refresh token.
     */
    post: operations['refreshSession'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/events': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read the events of a channel after a position, or its latest ones
     * @description Read the events of a channel after a position, or its latest ones.
     */
    get: operations['listEvents'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/me': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read the caller's account
     * @description Read the caller's account.
     */
    get: operations['getOwnAccount'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/me/devices/{device_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    /**
     * Register a phone for push notifications, at every start of the app
     * @description Register a phone for push notifications, at every start of the app.
     *
     *     The device belongs to this session, and is removed when the session ends.
     */
    put: operations['registerDevice'];
    post?: never;
    /**
     * Remove a device of the account; the response is the same if it is not registered
     * @description Remove a device of the account; the response is the same if it is not registered.
     */
    delete: operations['unregisterDevice'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/me/notifications': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read which notifications the account's devices get
     * @description Read which notifications the account's devices get.
     */
    get: operations['getNotifications'];
    /**
     * Choose the notifications of the account's devices; events that are left out have defaults
     * @description Choose the notifications of the account's devices; events that are left out have defaults.
     */
    put: operations['replaceNotifications'];
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/me/sessions': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the account's sessions, the one used last first
     * @description List the account's sessions, the one used last first.
     */
    get: operations['listOwnSessions'];
    put?: never;
    post?: never;
    /**
     * End all sessions of the account, this one too, and close their connections
     * @description End all sessions of the account, this one too, and close their connections.
     */
    delete: operations['endOwnSessions'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/me/sessions/{session_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * End a session of the account, and close its connections
     * @description End a session of the account, and close its connections.
     *
     *     The response is the same if the session has already ended.
     */
    delete: operations['endOwnSession'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/products': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List products of a status: approved ones for everyone, others for their shop and admins
     * @description List products of a status: approved ones for everyone, others for their shop and admins.
     *
     *     Approved products are listed as everyone may see them, also for an administrator.
     */
    get: operations['listProducts'];
    put?: never;
    /**
     * Submit a new product, which is pending until an administrator decides
     * @description Submit a new product, which is pending until an administrator decides.
     */
    post: operations['submitProduct'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/products/{product_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read a product that the caller may see
     * @description Read a product that the caller may see.
     *
     *     Its shop and administrators see its decisions too.
     */
    get: operations['getProduct'];
    /**
     * Replace a product of the shop; it becomes pending again from every status
     * @description Replace a product of the shop; it becomes pending again from every status.
     */
    put: operations['resubmitProduct'];
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/settings': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read the platform's settings, of which `settings.updated` brings the changes
     * @description Read the platform's settings, of which `settings.updated` brings the changes.
     */
    get: operations['getCurrentSettings'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/asyncapi.json': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read the AsyncAPI 3.0 description of the WebSocket protocol
     * @description Read the AsyncAPI 3.0 description of the WebSocket protocol.
     */
    get: operations['getAsyncapi'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/health': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Check that the tables can be read, and read the number of open connections
     * @description Check that the tables can be read, and read the number of open connections.
     */
    get: operations['checkHealth'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/openapi.json': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read the OpenAPI 3.1 description of the HTTP API: this document
     * @description Read the OpenAPI 3.1 description of the HTTP API: this document.
     */
    get: operations['getOpenapi'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/ws/stats': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read the numbers of open connections, counted in the last two seconds if they are few
     * @description Read the numbers of open connections, counted in the last two seconds if they are few.
     */
    get: operations['getStatistics'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    Activity: {
      connections: components['schemas']['ConnectionProfile'][];
      sessions: components['schemas']['SessionProfile'][];
    };
    Approval: {
      moderation_notes?: string | null;
    };
    /** @description The result of a publication, in connections; the events themselves are listed by id. */
    Broadcast: {
      /** @default 0 */
      delivered?: number;
      event_ids: string[];
      /** @default 0 */
      gone?: number;
      /** @default 0 */
      queued?: number;
    };
    /** @description Products by `product_ids`, if none was edited after its submission, or by `products`. */
    BulkApproval: {
      moderation_notes?: string | null;
      product_ids?: number[];
      products?: components['schemas']['SeenProduct'][];
    } & (unknown | unknown);
    BulkDecided: {
      broadcast: components['schemas']['Broadcast'];
      results: components['schemas']['Result'][];
    };
    /** @description Products by `product_ids`, if none was edited after its submission, or by `products`. */
    BulkRejection: {
      moderation_notes: string;
      product_ids?: number[];
      products?: components['schemas']['SeenProduct'][];
    } & (unknown | unknown);
    /**
     * @description A claim of the token, and the name of the channel for everyone of that type.
     * @enum {string}
     */
    ClientType: 'user' | 'shop' | 'admin';
    /** @description An open connection. */
    ConnectionProfile: {
      /** Format: date-time */
      connected_at: string;
      connection_id: string;
      session_id?: string | null;
    };
    Credentials: {
      device?: string | null;
      device_name?: string | null;
      email: string;
      password: string;
    };
    Decided: {
      broadcast: components['schemas']['Broadcast'];
      product: components['schemas']['Product'];
    };
    /** @description A decision of an administrator on a product. */
    Decision: {
      admin_id: number;
      moderation_notes: string;
      /** @enum {string} */
      moderation_status: 'approved' | 'rejected' | 'withdrawn';
      /** Format: date-time */
      status_changed_at: string;
      version: number;
    };
    Disconnected: {
      account_id: number;
      closed: number;
    };
    Draft: {
      text: string;
      title: string;
      to: string;
    };
    /** @description A published event, as WebSocket clients receive it; `asyncapi.json` describes each kind. */
    Event: {
      channel: string;
      data: {
        [key: string]: unknown;
      };
      event: string;
      id: string;
      seq: number;
      /** Format: date-time */
      timestamp: string;
    } & {
      [key: string]: unknown;
    };
    EventList: {
      events: components['schemas']['Event'][];
      has_more: boolean;
      position: components['schemas']['Position'];
      recovered: boolean;
    };
    Health: {
      connections: number;
      /**
       * @default ok
       * @constant
       */
      status?: 'ok';
    };
    LoggedIn: {
      access_token: string;
      account: components['schemas']['Profile'];
      device: string;
      expires_in: number;
      refresh_expires_in: number;
      refresh_token: string;
      /**
       * @default bearer
       * @constant
       */
      token_type?: 'bearer';
    };
    /**
     * @description How an account is notified of an event while its phone has no connection.
     * @enum {string}
     */
    Mode: 'push' | 'digest' | 'off';
    OwnSessions: {
      sessions: components['schemas']['SessionProfile'][];
    };
    /** @description A page of products as their shop and administrators see them; `cursor` as in `PublicPage`. */
    Page: {
      cursor?: string | null;
      items: components['schemas']['Product'][];
    };
    /** @enum {string} */
    Platform: 'apns' | 'apns_sandbox' | 'fcm';
    /** @description The settings, as HTTP clients read and write them. */
    PlatformSettings: {
      approval_fee: number;
      currency: string;
      /** @default 1000 */
      longest_notes?: number;
      /** @default 1 */
      shortest_rejection_notes?: number;
    };
    /** @description How far a channel has been read. Numbers of different epochs do not compare. */
    Position: {
      epoch: string;
      seq: number;
    };
    /** @description A mode for each event that is pushed to accounts of this type, and quiet hours. */
    Preferences: {
      /** @default {} */
      events?: {
        [key: string]: components['schemas']['Mode'];
      };
      quiet_hours?: components['schemas']['QuietHours'] | null;
    };
    /** @description An error response (RFC 9457). */
    Problem: {
      /** @description A stable name of the error. */
      code: string;
      /** @description An explanation for people. */
      detail: string;
      /** @description All validation errors, if the code is `request_invalid`. */
      errors?: {
        code: string;
        detail: string;
        field: string;
      }[];
      status: number;
      title: string;
      /**
       * Format: uri-reference
       * @description The URL of the code's text, relative to the host.
       */
      type: string;
    };
    /** @description One row of the products table, as its shop and administrators see it. */
    Product: {
      admin_id?: number | null;
      approval_fee?: number | null;
      /** @default [] */
      decisions?: components['schemas']['Decision'][];
      description?: string | null;
      image_url?: string | null;
      moderation_notes?: string | null;
      moderation_status: components['schemas']['Status'];
      price?: number | null;
      product_id: number;
      product_name: string;
      shop_id: number;
      shop_name: string;
      /** Format: date-time */
      status_changed_at: string;
      version: number;
    };
    /** @description An account. */
    Profile: {
      client_type: components['schemas']['ClientType'];
      email?: string | null;
      id: number;
      shop_id?: number | null;
      shop_name?: string | null;
    };
    /** @description A page of approved products; `cursor` leads to the next page, and is null on the last one. */
    PublicPage: {
      cursor?: string | null;
      items: components['schemas']['PublicProduct'][];
    };
    /** @description A product as everyone may see it. */
    PublicProduct: {
      description?: string | null;
      image_url?: string | null;
      moderation_status: components['schemas']['Status'];
      price?: number | null;
      product_id: number;
      product_name: string;
      shop_id: number;
      shop_name: string;
      /** Format: date-time */
      status_changed_at: string;
      version: number;
    };
    /** @description A page of pending products, and how many there are. */
    Queue: {
      cursor?: string | null;
      items: components['schemas']['Product'][];
      total: number;
    };
    /** @description Hours of each day without notifications; the end may be on the next day. */
    QuietHours: {
      end: string;
      start: string;
      timezone?: string | null;
    };
    Reason: {
      moderation_notes: string;
    };
    Refresh: {
      refresh_token: string;
    };
    /** @description The data that an app sends about its phone at every start. */
    Registration: {
      app_version: string;
      locale: string;
      platform: components['schemas']['Platform'];
      timezone: string;
      token: string;
    };
    /**
     * @description The result for one product: what it became, or why not, as the code of a refusal.
     *
     *     The code `product_not_found` is `not_found` here.
     */
    Result: {
      product_id: number;
      result: string;
    };
    /** @description A product, and the version of it that the administrator has read. */
    SeenProduct: {
      product_id: number;
      version: number;
    };
    /** @description A session that is alive. */
    SessionProfile: {
      /** Format: date-time */
      created_at: string;
      current: boolean;
      device_name?: string | null;
      /** Format: date-time */
      expires_at: string;
      id: string;
      /** Format: date-time */
      last_used_at: string;
    };
    Stats: {
      by_type: {
        [key: string]: number;
      };
      rooms: number;
      total: number;
    };
    /** @enum {string} */
    Status: 'pending' | 'approved' | 'rejected' | 'withdrawn';
    /** @description The fields of a product that its shop writes. */
    Submission: {
      description?: string | null;
      image_url?: string | null;
      price?: number | null;
      product_name: string;
    };
    /** @description The tokens that a login or a refresh returns. */
    Tokens: {
      access_token: string;
      expires_in: number;
      refresh_expires_in: number;
      refresh_token: string;
      /**
       * @default bearer
       * @constant
       */
      token_type?: 'bearer';
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  findAccount: {
    parameters: {
      query: {
        email: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "client_type": "user",
           *       "email": "anna@example.com",
           *       "id": 42
           *     }
           */
          'application/json': components['schemas']['Profile'];
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'account_not_found' | 'issued_elsewhere';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  disconnectAccount: {
    parameters: {
      query?: {
        client_type?: components['schemas']['ClientType'];
      };
      header?: never;
      path: {
        account_id: number;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": 42,
           *       "closed": 2
           *     }
           */
          'application/json': components['schemas']['Disconnected'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  listAccountSessions: {
    parameters: {
      query?: {
        client_type?: components['schemas']['ClientType'];
      };
      header?: never;
      path: {
        account_id: number;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "connections": [
           *         {
           *           "connected_at": "2024-01-01T13:00:00Z",
           *           "connection_id": "L0SM9cOFvHcCIhw=",
           *           "session_id": "q1zvUJ3Cq0mYfX8sVn0b2A"
           *         }
           *       ],
           *       "sessions": [
           *         {
           *           "created_at": "2024-01-01T12:00:00Z",
           *           "current": true,
           *           "device_name": "Anna's Pixel",
           *           "expires_at": "2024-03-01T13:00:00Z",
           *           "id": "q1zvUJ3Cq0mYfX8sVn0b2A",
           *           "last_used_at": "2024-01-01T13:00:00Z"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['Activity'];
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  endAccountSession: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        account_id: number;
        session_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  publishAnnouncement: {
    parameters: {
      query?: never;
      header?: {
        /** @description A random text of your own for this request, the same when you send it again. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "text": "Началась",
         *       "title": "Распродажа",
         *       "to": "room:sale"
         *     }
         */
        'application/json': components['schemas']['Draft'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          /** @description Whether this is the answer to an earlier request with the key. */
          'Idempotency-Replayed'?: 'true';
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "delivered": 12,
           *       "event_ids": [
           *         "0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0"
           *       ],
           *       "gone": 1,
           *       "queued": 0
           *     }
           */
          'application/json': components['schemas']['Broadcast'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'room_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Conflict */
      409: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_running';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid' | 'idempotency_key_reused';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  listModerationQueue: {
    parameters: {
      query?: {
        limit?: number;
        cursor?: string;
        shop_id?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "cursor": null,
           *       "items": [
           *         {
           *           "admin_id": null,
           *           "approval_fee": null,
           *           "decisions": [],
           *           "description": "Лён, длина 110 см",
           *           "image_url": "https://images.example.com/dress.jpg",
           *           "moderation_notes": null,
           *           "moderation_status": "pending",
           *           "price": 49.9,
           *           "product_id": 1,
           *           "product_name": "Красное платье",
           *           "shop_id": 10,
           *           "shop_name": "Мода",
           *           "status_changed_at": "2024-01-01T12:00:00Z",
           *           "version": 1
           *         }
           *       ],
           *       "total": 1
           *     }
           */
          'application/json': components['schemas']['Queue'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'cursor_invalid';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  bulkApproveProducts: {
    parameters: {
      query?: never;
      header?: {
        /** @description A random text of your own for this request, the same when you send it again. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "products": [
         *         {
         *           "product_id": 1,
         *           "version": 1
         *         }
         *       ]
         *     }
         */
        'application/json': components['schemas']['BulkApproval'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          /** @description Whether this is the answer to an earlier request with the key. */
          'Idempotency-Replayed'?: 'true';
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "broadcast": {
           *         "delivered": 12,
           *         "event_ids": [
           *           "0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0"
           *         ],
           *         "gone": 1,
           *         "queued": 0
           *       },
           *       "results": [
           *         {
           *           "product_id": 1,
           *           "result": "approved"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['BulkDecided'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Conflict */
      409: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_running';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid' | 'notes_too_long' | 'idempotency_key_reused';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  bulkRejectProducts: {
    parameters: {
      query?: never;
      header?: {
        /** @description A random text of your own for this request, the same when you send it again. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "moderation_notes": "Нет фотографии",
         *       "product_ids": [
         *         1,
         *         2
         *       ]
         *     }
         */
        'application/json': components['schemas']['BulkRejection'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          /** @description Whether this is the answer to an earlier request with the key. */
          'Idempotency-Replayed'?: 'true';
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "broadcast": {
           *         "delivered": 12,
           *         "event_ids": [
           *           "0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0"
           *         ],
           *         "gone": 1,
           *         "queued": 0
           *       },
           *       "results": [
           *         {
           *           "product_id": 1,
           *           "result": "approved"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['BulkDecided'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Conflict */
      409: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_running';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?:
              'request_invalid' | 'notes_too_long' | 'notes_too_short' | 'idempotency_key_reused';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  approveProduct: {
    parameters: {
      query?: never;
      header?: {
        /** @description The version that you have read; several, or `*` for each that exists. */
        'If-Match'?: string;
        /** @description A random text of your own for this request, the same when you send it again. */
        'Idempotency-Key'?: string;
      };
      path: {
        product_id: number;
      };
      cookie?: never;
    };
    requestBody?: {
      content: {
        /**
         * @example {
         *       "moderation_notes": "Хорошие фотографии"
         *     }
         */
        'application/json': components['schemas']['Approval'] | null;
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          ETag?: string;
          /** @description Whether this is the answer to an earlier request with the key. */
          'Idempotency-Replayed'?: 'true';
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "broadcast": {
           *         "delivered": 12,
           *         "event_ids": [
           *           "0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0"
           *         ],
           *         "gone": 1,
           *         "queued": 0
           *       },
           *       "product": {
           *         "admin_id": 1,
           *         "approval_fee": null,
           *         "decisions": [
           *           {
           *             "admin_id": 1,
           *             "moderation_notes": "Нет фотографии",
           *             "moderation_status": "rejected",
           *             "status_changed_at": "2024-01-01T12:05:00Z",
           *             "version": 2
           *           }
           *         ],
           *         "description": "Лён, длина 110 см",
           *         "image_url": "https://images.example.com/dress.jpg",
           *         "moderation_notes": "Нет фотографии",
           *         "moderation_status": "rejected",
           *         "price": 49.9,
           *         "product_id": 1,
           *         "product_name": "Красное платье",
           *         "shop_id": 10,
           *         "shop_name": "Мода",
           *         "status_changed_at": "2024-01-01T12:05:00Z",
           *         "version": 2
           *       }
           *     }
           */
          'application/json': components['schemas']['Decided'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found' | 'product_not_found';
          };
        };
      };
      /** @description Conflict */
      409: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'already_moderated' | 'product_changed' | 'request_running';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid' | 'notes_too_long' | 'idempotency_key_reused';
          };
        };
      };
      /** @description Precondition required */
      428: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'version_missing';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  rejectProduct: {
    parameters: {
      query?: never;
      header?: {
        /** @description The version that you have read; several, or `*` for each that exists. */
        'If-Match'?: string;
        /** @description A random text of your own for this request, the same when you send it again. */
        'Idempotency-Key'?: string;
      };
      path: {
        product_id: number;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "moderation_notes": "Нет фотографии"
         *     }
         */
        'application/json': components['schemas']['Reason'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          ETag?: string;
          /** @description Whether this is the answer to an earlier request with the key. */
          'Idempotency-Replayed'?: 'true';
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "broadcast": {
           *         "delivered": 12,
           *         "event_ids": [
           *           "0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0"
           *         ],
           *         "gone": 1,
           *         "queued": 0
           *       },
           *       "product": {
           *         "admin_id": 1,
           *         "approval_fee": null,
           *         "decisions": [
           *           {
           *             "admin_id": 1,
           *             "moderation_notes": "Нет фотографии",
           *             "moderation_status": "rejected",
           *             "status_changed_at": "2024-01-01T12:05:00Z",
           *             "version": 2
           *           }
           *         ],
           *         "description": "Лён, длина 110 см",
           *         "image_url": "https://images.example.com/dress.jpg",
           *         "moderation_notes": "Нет фотографии",
           *         "moderation_status": "rejected",
           *         "price": 49.9,
           *         "product_id": 1,
           *         "product_name": "Красное платье",
           *         "shop_id": 10,
           *         "shop_name": "Мода",
           *         "status_changed_at": "2024-01-01T12:05:00Z",
           *         "version": 2
           *       }
           *     }
           */
          'application/json': components['schemas']['Decided'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found' | 'product_not_found';
          };
        };
      };
      /** @description Conflict */
      409: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'already_moderated' | 'product_changed' | 'request_running';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?:
              'request_invalid' | 'notes_too_long' | 'notes_too_short' | 'idempotency_key_reused';
          };
        };
      };
      /** @description Precondition required */
      428: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'version_missing';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  withdrawProduct: {
    parameters: {
      query?: never;
      header?: {
        /** @description The version that you have read; several, or `*` for each that exists. */
        'If-Match'?: string;
        /** @description A random text of your own for this request, the same when you send it again. */
        'Idempotency-Key'?: string;
      };
      path: {
        product_id: number;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "moderation_notes": "Нет фотографии"
         *     }
         */
        'application/json': components['schemas']['Reason'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          ETag?: string;
          /** @description Whether this is the answer to an earlier request with the key. */
          'Idempotency-Replayed'?: 'true';
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "broadcast": {
           *         "delivered": 12,
           *         "event_ids": [
           *           "0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0"
           *         ],
           *         "gone": 1,
           *         "queued": 0
           *       },
           *       "product": {
           *         "admin_id": 1,
           *         "approval_fee": null,
           *         "decisions": [
           *           {
           *             "admin_id": 1,
           *             "moderation_notes": "Нет фотографии",
           *             "moderation_status": "rejected",
           *             "status_changed_at": "2024-01-01T12:05:00Z",
           *             "version": 2
           *           }
           *         ],
           *         "description": "Лён, длина 110 см",
           *         "image_url": "https://images.example.com/dress.jpg",
           *         "moderation_notes": "Нет фотографии",
           *         "moderation_status": "rejected",
           *         "price": 49.9,
           *         "product_id": 1,
           *         "product_name": "Красное платье",
           *         "shop_id": 10,
           *         "shop_name": "Мода",
           *         "status_changed_at": "2024-01-01T12:05:00Z",
           *         "version": 2
           *       }
           *     }
           */
          'application/json': components['schemas']['Decided'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found' | 'product_not_found';
          };
        };
      };
      /** @description Conflict */
      409: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'not_approved' | 'product_changed' | 'request_running';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?:
              'request_invalid' | 'notes_too_long' | 'notes_too_short' | 'idempotency_key_reused';
          };
        };
      };
      /** @description Precondition required */
      428: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'version_missing';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  getSettings: {
    parameters: {
      query?: never;
      header?: {
        /**
         * @description The version that the client has, from its ETag.
         * @example "3"
         */
        'If-None-Match'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "approval_fee": 5,
           *       "currency": "EUR",
           *       "longest_notes": 1000,
           *       "shortest_rejection_notes": 1
           *     }
           */
          'application/json': components['schemas']['PlatformSettings'];
        };
      };
      /** @description Not Modified */
      304: {
        headers: {
          ETag?: string;
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  replaceSettings: {
    parameters: {
      query?: never;
      header: {
        /** @description The version that you have read; several, or `*` for each that exists. */
        'If-Match': string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "approval_fee": 5,
         *       "currency": "EUR",
         *       "longest_notes": 1000,
         *       "shortest_rejection_notes": 1
         *     }
         */
        'application/json': components['schemas']['PlatformSettings'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "approval_fee": 5,
           *       "currency": "EUR",
           *       "longest_notes": 1000,
           *       "shortest_rejection_notes": 1
           *     }
           */
          'application/json': components['schemas']['PlatformSettings'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Conflict */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'settings_changed';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Precondition required */
      428: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'version_missing';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  logIn: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "email": "anna@example.com",
         *       "password": "PASSWORD"
         *     }
         */
        'application/json': components['schemas']['Credentials'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "ACCESS_TOKEN",
           *       "account": {
           *         "client_type": "user",
           *         "email": "anna@example.com",
           *         "id": 42
           *       },
           *       "device": "DEVICE",
           *       "expires_in": 3600,
           *       "refresh_expires_in": 5184000,
           *       "refresh_token": "REFRESH_TOKEN",
           *       "token_type": "bearer"
           *     }
           */
          'application/json': components['schemas']['LoggedIn'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'credentials_invalid';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issued_elsewhere';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Too many requests */
      429: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'too_many_attempts';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy';
          };
        };
      };
    };
  };
  logOut: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issued_elsewhere';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  refreshSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "refresh_token": "REFRESH_TOKEN"
         *     }
         */
        'application/json': components['schemas']['Refresh'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "ACCESS_TOKEN",
           *       "expires_in": 3600,
           *       "refresh_expires_in": 5184000,
           *       "refresh_token": "REFRESH_TOKEN",
           *       "token_type": "bearer"
           *     }
           */
          'application/json': components['schemas']['Tokens'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?:
              | 'refresh_token_invalid'
              | 'refresh_token_reused'
              | 'session_ended'
              | 'session_expired';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issued_elsewhere';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy';
          };
        };
      };
    };
  };
  listEvents: {
    parameters: {
      query: {
        channel: string;
        since?: string;
        limit?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "events": [
           *         {
           *           "channel": "user",
           *           "data": {
           *             "admin_id": 1,
           *             "text": "Началась",
           *             "title": "Распродажа",
           *             "to": "user"
           *           },
           *           "event": "announcement.published",
           *           "id": "0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0",
           *           "seq": 58,
           *           "timestamp": "2024-01-01T12:00:00Z"
           *         }
           *       ],
           *       "has_more": false,
           *       "position": {
           *         "epoch": "3f0c9a1e",
           *         "seq": 58
           *       },
           *       "recovered": true
           *     }
           */
          'application/json': components['schemas']['EventList'];
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'channel_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Too many requests */
      429: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'too_many_requests';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  getOwnAccount: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "client_type": "user",
           *       "email": "anna@example.com",
           *       "id": 42
           *     }
           */
          'application/json': components['schemas']['Profile'];
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  registerDevice: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        device_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "app_version": "1.4.0",
         *       "locale": "ru-RU",
         *       "platform": "fcm",
         *       "timezone": "Europe/Moscow",
         *       "token": "DEVICE_TOKEN"
         *     }
         */
        'application/json': components['schemas']['Registration'];
      };
    };
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found' | 'push_off';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Too many requests */
      429: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'too_many_requests';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  unregisterDevice: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        device_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found' | 'push_off';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  getNotifications: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "events": {
           *         "announcement.published": "push",
           *         "product.approved": "digest"
           *       },
           *       "quiet_hours": {
           *         "end": "07:00",
           *         "start": "22:00",
           *         "timezone": "Europe/Moscow"
           *       }
           *     }
           */
          'application/json': components['schemas']['Preferences'];
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'push_off';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  replaceNotifications: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "events": {
         *         "announcement.published": "push",
         *         "product.approved": "digest"
         *       },
         *       "quiet_hours": {
         *         "end": "07:00",
         *         "start": "22:00",
         *         "timezone": "Europe/Moscow"
         *       }
         *     }
         */
        'application/json': components['schemas']['Preferences'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "events": {
           *         "announcement.published": "push",
           *         "product.approved": "digest"
           *       },
           *       "quiet_hours": {
           *         "end": "07:00",
           *         "start": "22:00",
           *         "timezone": "Europe/Moscow"
           *       }
           *     }
           */
          'application/json': components['schemas']['Preferences'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'push_off';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Too many requests */
      429: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'too_many_requests';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  listOwnSessions: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "sessions": [
           *         {
           *           "created_at": "2024-01-01T12:00:00Z",
           *           "current": true,
           *           "device_name": "Anna's Pixel",
           *           "expires_at": "2024-03-01T13:00:00Z",
           *           "id": "q1zvUJ3Cq0mYfX8sVn0b2A",
           *           "last_used_at": "2024-01-01T13:00:00Z"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['OwnSessions'];
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issued_elsewhere';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  endOwnSessions: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issued_elsewhere';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  endOwnSession: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        session_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No Content */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found' | 'issued_elsewhere';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  listProducts: {
    parameters: {
      query?: {
        status?: components['schemas']['Status'];
        limit?: number;
        cursor?: string;
        since?: string;
        shop_id?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "cursor": null,
           *       "items": [
           *         {
           *           "description": "Лён, длина 110 см",
           *           "image_url": "https://images.example.com/dress.jpg",
           *           "moderation_status": "approved",
           *           "price": 49.9,
           *           "product_id": 1,
           *           "product_name": "Красное платье",
           *           "shop_id": 10,
           *           "shop_name": "Мода",
           *           "status_changed_at": "2024-01-01T12:00:00Z",
           *           "version": 2
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['PublicPage'] | components['schemas']['Page'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'cursor_invalid';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'product_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  submitProduct: {
    parameters: {
      query?: never;
      header?: {
        /** @description A random text of your own for this request, the same when you send it again. */
        'Idempotency-Key'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "price": 49.9,
         *       "product_name": "Красное платье"
         *     }
         */
        'application/json': components['schemas']['Submission'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          ETag?: string;
          /** @description Whether this is the answer to an earlier request with the key. */
          'Idempotency-Replayed'?: 'true';
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "admin_id": null,
           *       "approval_fee": null,
           *       "decisions": [],
           *       "description": "Лён, длина 110 см",
           *       "image_url": "https://images.example.com/dress.jpg",
           *       "moderation_notes": null,
           *       "moderation_status": "pending",
           *       "price": 49.9,
           *       "product_id": 1,
           *       "product_name": "Красное платье",
           *       "shop_id": 10,
           *       "shop_name": "Мода",
           *       "status_changed_at": "2024-01-01T12:00:00Z",
           *       "version": 1
           *     }
           */
          'application/json': components['schemas']['Product'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Conflict */
      409: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_running';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid' | 'idempotency_key_reused';
          };
        };
      };
      /** @description Too many requests */
      429: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'too_many_submissions';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  getProduct: {
    parameters: {
      query?: never;
      header?: {
        /**
         * @description The version that the client has, from its ETag.
         * @example "3"
         */
        'If-None-Match'?: string;
      };
      path: {
        product_id: number;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "description": "Лён, длина 110 см",
           *       "image_url": "https://images.example.com/dress.jpg",
           *       "moderation_status": "approved",
           *       "price": 49.9,
           *       "product_id": 1,
           *       "product_name": "Красное платье",
           *       "shop_id": 10,
           *       "shop_name": "Мода",
           *       "status_changed_at": "2024-01-01T12:00:00Z",
           *       "version": 2
           *     }
           */
          'application/json':
            components['schemas']['PublicProduct'] | components['schemas']['Product'];
        };
      };
      /** @description Not Modified */
      304: {
        headers: {
          ETag?: string;
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found' | 'product_not_found';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  resubmitProduct: {
    parameters: {
      query?: never;
      header?: {
        /** @description The version that you have read; several, or `*` for each that exists. */
        'If-Match'?: string;
      };
      path: {
        product_id: number;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "price": 49.9,
         *       "product_name": "Красное платье"
         *     }
         */
        'application/json': components['schemas']['Submission'];
      };
    };
    responses: {
      /** @description OK */
      200: {
        headers: {
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "admin_id": null,
           *       "approval_fee": null,
           *       "decisions": [],
           *       "description": "Лён, длина 110 см",
           *       "image_url": "https://images.example.com/dress.jpg",
           *       "moderation_notes": null,
           *       "moderation_status": "pending",
           *       "price": 49.9,
           *       "product_id": 1,
           *       "product_name": "Красное платье",
           *       "shop_id": 10,
           *       "shop_name": "Мода",
           *       "status_changed_at": "2024-01-01T12:00:00Z",
           *       "version": 1
           *     }
           */
          'application/json': components['schemas']['Product'];
        };
      };
      /** @description Bad request */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_not_json';
          };
        };
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'client_type_forbidden' | 'product_forbidden' | 'edge_required';
          };
        };
      };
      /** @description Not found */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'route_not_found' | 'product_not_found';
          };
        };
      };
      /** @description Conflict */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'product_changed';
          };
        };
      };
      /** @description Content too large */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'body_too_large';
          };
        };
      };
      /** @description Unsupported media type */
      415: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'content_type_unsupported';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Too many requests */
      429: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'too_many_submissions';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'issuer_unreachable';
          };
        };
      };
    };
  };
  getCurrentSettings: {
    parameters: {
      query?: never;
      header?: {
        /**
         * @description The version that the client has, from its ETag.
         * @example "3"
         */
        'If-None-Match'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "approval_fee": 5,
           *       "currency": "EUR",
           *       "longest_notes": 1000,
           *       "shortest_rejection_notes": 1
           *     }
           */
          'application/json': components['schemas']['PlatformSettings'];
        };
      };
      /** @description Not Modified */
      304: {
        headers: {
          ETag?: string;
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Unauthorized */
      401: {
        headers: {
          'WWW-Authenticate'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'token_missing' | 'token_invalid' | 'token_expired' | 'token_revoked';
          };
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'issuer_unreachable';
          };
        };
      };
    };
  };
  getAsyncapi: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "asyncapi": "3.0.0",
           *       "channels": {},
           *       "info": {
           *         "title": "Vitrina"
           *       }
           *     }
           */
          'application/json': Record<string, never>;
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
    };
  };
  checkHealth: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "connections": 3,
           *       "status": "ok"
           *     }
           */
          'application/json': components['schemas']['Health'];
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy' | 'unhealthy';
          };
        };
      };
    };
  };
  getOpenapi: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "info": {
           *         "title": "Vitrina"
           *       },
           *       "openapi": "3.1.0",
           *       "paths": {}
           *     }
           */
          'application/json': Record<string, never>;
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
    };
  };
  getStatistics: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description OK */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "by_type": {
           *         "admin": 0,
           *         "shop": 1,
           *         "user": 2
           *       },
           *       "rooms": 1,
           *       "total": 3
           *     }
           */
          'application/json': components['schemas']['Stats'];
        };
      };
      /** @description Forbidden */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'edge_required';
          };
        };
      };
      /** @description Unprocessable content */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'request_invalid';
          };
        };
      };
      /** @description Internal server error */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'internal_error';
          };
        };
      };
      /** @description Service unavailable */
      503: {
        headers: {
          'Retry-After'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/problem+json': components['schemas']['Problem'] & {
            /** @enum {string} */
            code?: 'busy';
          };
        };
      };
    };
  };
}

/** Who has logged in. */
export type Account = components['schemas']['Profile'];
