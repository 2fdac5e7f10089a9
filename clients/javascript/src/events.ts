// Generated from functions/openapi/asyncapi.json by `npm run types`.

export type { Account } from './api.js';

/** The client type of a token, and the channel of everyone who has it. */
export type ClientType = components['schemas']['ClientType'];

/** Every published event by its name. */
export interface Events {
  /** An administrator published an announcement to a channel. */
  'announcement.published': components['schemas']['AnnouncementPublished'];
  /** An administrator approved a product. */
  'product.approved': components['schemas']['ProductApproved'];
  /** An administrator rejected a product, with a reason. */
  'product.rejected': components['schemas']['ProductRejected'];
  /** A shop submitted a product, or submitted it again. */
  'product.submitted': components['schemas']['ProductSubmitted'];
  /** An approved product left public view: an administrator withdrew it, or its shop edited it. */
  'product.withdrawn': components['schemas']['ProductWithdrawn'];
  /** An administrator changed the platform's settings. */
  'settings.updated': components['schemas']['SettingsUpdated'];
}

export type EventName = keyof Events;

/** Frames and their data, as asyncapi.json describes them. */
export interface components {
  schemas: {
    Announcement: {
      admin_id: number;
      text: string;
      title: string;
      to: string;
    };
    /** @description An administrator published an announcement to a channel. */
    AnnouncementPublished: {
      /** @description The channel that it was sent to. */
      channel: string;
      data: components['schemas']['Announcement'];
      /**
       * @default announcement.published
       * @constant
       */
      event: 'announcement.published';
      id: string;
      /** @description Its number in the channel, without gaps. */
      seq: number;
      /** Format: date-time */
      timestamp: string;
    };
    /** @description Extend this connection with another token of the same identity. */
    Auth: {
      token: string;
      /** @constant */
      type: 'auth';
    };
    /** @description The answer to `auth`. */
    Authenticated: {
      data: components['schemas']['Extension'];
      /**
       * @default authenticated
       * @constant
       */
      event: 'authenticated';
      /** Format: date-time */
      timestamp: string;
    };
    /** @description Several events in one frame, in `events`, for a client that connected with `batch=1`. */
    Batch: {
      /**
       * @default batch
       * @constant
       */
      event: 'batch';
      events: (
        | components['schemas']['ProductApproved']
        | components['schemas']['ProductSubmitted']
        | components['schemas']['ProductRejected']
        | components['schemas']['ProductWithdrawn']
        | components['schemas']['SettingsUpdated']
        | components['schemas']['AnnouncementPublished']
        | components['schemas']['Connected']
        | components['schemas']['Recovered']
      )[];
    };
    /** @description The platform's settings that have changed, with their new values. */
    ChangedSettings: {
      approval_fee?: number;
      currency?: string;
      longest_notes?: number;
      shortest_rejection_notes?: number;
    };
    /** @description Whether every missed event was sent, and the channel's present position. */
    ChannelRecovery: {
      epoch: string;
      recovered: boolean;
      seq: number;
    };
    /**
     * @description A claim of the token, and the name of the channel for everyone of that type.
     * @enum {string}
     */
    ClientType: 'user' | 'shop' | 'admin';
    /** @description The last event of a connection that the server closes. */
    Closing: {
      data: components['schemas']['Closure'];
      /**
       * @default closing
       * @constant
       */
      event: 'closing';
      /** Format: date-time */
      timestamp: string;
    };
    Closure: {
      reason: components['schemas']['Reason'];
    };
    /** @description The first event of a connection: its limits, and the positions of its channels. */
    Connected: {
      data: components['schemas']['ConnectionDetails'];
      /**
       * @default connected
       * @constant
       */
      event: 'connected';
      /** Format: date-time */
      timestamp: string;
    };
    ConnectionDetails: {
      client_type: components['schemas']['ClientType'];
      connection_id: string;
      /** Format: date-time */
      expires_at: string;
      ping_interval_seconds: number;
      positions: {
        [key: string]: components['schemas']['Position'];
      };
      /** @default [] */
      recovering: string[];
    };
    /** @description A message of this connection was refused; the connection stays open. */
    Error: {
      data: components['schemas']['Refusal'];
      /**
       * @default error
       * @constant
       */
      event: 'error';
      /** Format: date-time */
      timestamp: string;
    };
    Extension: {
      /** Format: date-time */
      expires_at: string;
    };
    /** @description Join a room. */
    Join: {
      room: string;
      /** @constant */
      type: 'join';
    };
    /** @description The answer to `join`. */
    Joined: {
      data: components['schemas']['RoomJoined'];
      /**
       * @default joined
       * @constant
       */
      event: 'joined';
      /** Format: date-time */
      timestamp: string;
    };
    /** @description Leave a room. */
    Leave: {
      room: string;
      /** @constant */
      type: 'leave';
    };
    /** @description The answer to `leave`. */
    Left: {
      data: components['schemas']['RoomLeft'];
      /**
       * @default left
       * @constant
       */
      event: 'left';
      /** Format: date-time */
      timestamp: string;
    };
    /** @description Keep the connection open; the client may add its own timestamp. */
    Ping: {
      /** @default null */
      timestamp?: string | null;
      /** @constant */
      type: 'ping';
    };
    /** @description The answer to `ping`: only its name, so that API Gateway can send it without a Lambda. */
    Pong: {
      /**
       * @default pong
       * @constant
       */
      event: 'pong';
    };
    /** @description How far a channel has been read. Numbers of different epochs do not compare. */
    Position: {
      epoch: string;
      seq: number;
    };
    /** @description The fields of an approved product, in this order. */
    ProductApproval: {
      admin_id: number;
      approval_fee: number;
      moderation_notes: string;
      /**
       * @default approved
       * @constant
       */
      moderation_status: 'approved';
      product_id: number;
      product_name: string;
      shop_id: number;
      shop_name: string;
    };
    /** @description An administrator approved a product. */
    ProductApproved: {
      /** @description The channel that it was sent to. */
      channel: string;
      data: components['schemas']['ProductApproval'];
      /**
       * @default product.approved
       * @constant
       */
      event: 'product.approved';
      id: string;
      /** @description Its number in the channel, without gaps. */
      seq: number;
      /** Format: date-time */
      timestamp: string;
    };
    /** @description An administrator rejected a product, with a reason. */
    ProductRejected: {
      /** @description The channel that it was sent to. */
      channel: string;
      data: components['schemas']['ProductRejection'];
      /**
       * @default product.rejected
       * @constant
       */
      event: 'product.rejected';
      id: string;
      /** @description Its number in the channel, without gaps. */
      seq: number;
      /** Format: date-time */
      timestamp: string;
    };
    ProductRejection: {
      admin_id: number;
      moderation_notes: string;
      /**
       * @default rejected
       * @constant
       */
      moderation_status: 'rejected';
      product_id: number;
      product_name: string;
      shop_id: number;
      shop_name: string;
    };
    ProductSubmission: {
      /**
       * @default pending
       * @constant
       */
      moderation_status: 'pending';
      product_id: number;
      product_name: string;
      shop_id: number;
      shop_name: string;
    };
    /** @description A shop submitted a product, or submitted it again. */
    ProductSubmitted: {
      /** @description The channel that it was sent to. */
      channel: string;
      data: components['schemas']['ProductSubmission'];
      /**
       * @default product.submitted
       * @constant
       */
      event: 'product.submitted';
      id: string;
      /** @description Its number in the channel, without gaps. */
      seq: number;
      /** Format: date-time */
      timestamp: string;
    };
    /** @description The public fields of a product: no reason, no administrator, nothing of an edit. */
    ProductWithdrawal: {
      product_id: number;
      product_name: string;
      shop_id: number;
      shop_name: string;
      version: number;
    };
    /** @description An approved product left public view: an administrator withdrew it, or its shop edited it. */
    ProductWithdrawn: {
      /** @description The channel that it was sent to. */
      channel: string;
      data: components['schemas']['ProductWithdrawal'];
      /**
       * @default product.withdrawn
       * @constant
       */
      event: 'product.withdrawn';
      id: string;
      /** @description Its number in the channel, without gaps. */
      seq: number;
      /** Format: date-time */
      timestamp: string;
    };
    /**
     * @description Why the server closes a connection.
     * @enum {string}
     */
    Reason:
      | 'token_expired'
      | 'too_many_connections'
      | 'account_disconnected'
      | 'everyone_disconnected'
      | 'too_many_requests'
      | 'too_slow';
    /** @description After the missed events: of a `resume`, or of the positions in a handshake. */
    Recovered: {
      data: components['schemas']['Recovery'];
      /**
       * @default recovered
       * @constant
       */
      event: 'recovered';
      /** Format: date-time */
      timestamp: string;
    };
    Recovery: {
      channels: {
        [key: string]: components['schemas']['ChannelRecovery'];
      };
      recovered: boolean;
    };
    Refusal: {
      code: string;
      message: string;
      /** @default null */
      retry_after: number | null;
    };
    /** @description Request the events after the given positions, by channel. */
    Resume: {
      positions: {
        [key: string]: components['schemas']['Position'];
      };
      /** @constant */
      type: 'resume';
    };
    RoomJoined: {
      channel: string;
      position: components['schemas']['Position'];
      room: string;
    };
    RoomLeft: {
      room: string;
    };
    SettingsUpdate: {
      changed: components['schemas']['ChangedSettings'];
      version: number;
    };
    /** @description An administrator changed the platform's settings. */
    SettingsUpdated: {
      /** @description The channel that it was sent to. */
      channel: string;
      data: components['schemas']['SettingsUpdate'];
      /**
       * @default settings.updated
       * @constant
       */
      event: 'settings.updated';
      id: string;
      /** @description Its number in the channel, without gaps. */
      seq: number;
      /** Format: date-time */
      timestamp: string;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
