import type { ChargerMessage } from "@chargemesh/contracts/charger/v1/charger_message";
import { ChargerMessageServiceClient, ListChargerMessagesRequest } from "@chargemesh/contracts/charger/v1/charger_message_service";
import { credentials, type Metadata } from "@grpc/grpc-js";
import { call } from "../service.ts";
import type { Site } from "./site.ts";

export type Asked = Partial<ListChargerMessagesRequest>;

/** What the frame log of a site answers, to an operator unless somebody else asks. */
export function openFrameLog({ service, place }: Site) {
  const client = new ChargerMessageServiceClient(service.grpcAddress, credentials.createInsecure());
  const page = (request: Asked, as: Metadata = place.as("OPERATOR")) =>
    call(client, client.listChargerMessages, ListChargerMessagesRequest.fromPartial(request), as);
  return {
    page,
    /** Newest last, as they went over the wire. */
    async frames(chargerId: string, request: Asked = {}): Promise<ChargerMessage[]> {
      return (await page({ chargerId, pageSize: 200, ...request })).messages.toReversed();
    },
    close: () => client.close(),
  };
}
