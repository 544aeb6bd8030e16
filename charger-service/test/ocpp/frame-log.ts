import type { Message } from "@chargemesh/contracts/charger/v1/message";
import { ListMessagesRequest, MessageServiceClient } from "@chargemesh/contracts/charger/v1/message_service";
import { credentials, type Metadata } from "@grpc/grpc-js";
import { call } from "../service.ts";
import type { Site } from "./site.ts";

export type Asked = Partial<ListMessagesRequest>;

/** What the frame log of a site answers, to an operator unless somebody else asks. */
export function openFrameLog({ service, place }: Site) {
  const client = new MessageServiceClient(service.grpcAddress, credentials.createInsecure());
  const page = (request: Asked, as: Metadata = place.as("OPERATOR")) =>
    call(client, client.listMessages, ListMessagesRequest.fromPartial(request), as);
  return {
    page,
    /** Newest last, as they went over the wire. */
    async frames(chargerId: string, request: Asked = {}): Promise<Message[]> {
      return (await page({ chargerId, pageSize: 200, ...request })).messages.toReversed();
    },
    close: () => client.close(),
  };
}
