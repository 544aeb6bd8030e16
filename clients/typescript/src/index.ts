export { registry, services } from "../gen/chargemesh/services.js";
export { ApiError, type ErrorCode, type FieldViolation } from "./api-error.js";
export { type Chargemesh, chargemesh } from "./client.js";
export { type FollowOptions, followEvents } from "./follow-events.js";
export { type RestOptions, restTransport } from "./rest-transport.js";
export { type Credentials, passwordTokens, type Tokens } from "./tokens.js";
