// The npm package has no types; this is what the tests use of it.
declare module "ocpp-rpc" {
  // biome-ignore lint/suspicious/noExplicitAny: payloads are what the tests assert
  type Payload = any;
  export class RPCClient {
    constructor(options: {
      endpoint: string;
      identity: string;
      protocols: string[];
      password?: string;
      strictMode?: boolean;
      reconnect?: boolean;
    });
    connect(): Promise<unknown>;
    call(action: string, payload: object): Promise<Payload>;
    handle(action: string, handler: (call: { params: Payload }) => object): void;
    close(options?: { code?: number; reason?: string; force?: boolean }): Promise<unknown>;
    on(event: string, listener: (event: Payload) => void): void;
  }
  export function createRPCError(code: string, description?: string): Error;
}
