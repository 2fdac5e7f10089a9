/** Vitrina's client: events in order, typed requests, and a session. */

export { VitrinaClient } from './client.js';
export { NetworkError, Problem, VitrinaError, type Fault } from './errors.js';
export { watchBanner } from './banner.js';
export { node, type NodeWebSocket } from './node.js';
export { Session, type LoggedIn, type SessionOptions, type SessionTimes } from './session.js';
export type { paths, components } from './api.js';
export { createHttp, type CallOptions, type Http, type HttpClient, type PathOf } from './http.js';
export type { Answer } from './request.js';
export type * from './types.js';
