import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { RotateChargerPasswordRequest } from "@chargemesh/contracts/charger/v1/charger_service";
import { asService, call, given, type Service } from "../service.ts";
import type { Site } from "./site.ts";
import { basic } from "./station.ts";

/** What an operator does about the passwords of chargers, and whoever tries them. */
export interface CredentialDesk {
  rotate(id: string, fields?: Partial<RotateChargerPasswordRequest>, of?: Service): Promise<Charger>;
  cancel(id: string): Promise<Charger>;
  revoke(id: string): Promise<Charger>;
  change(id: string, fields: Partial<Charger>): Promise<Charger>;
  /** Why a charger would be refused with this password; empty if it would be let in. It does not come in. */
  knock(id: string, password: string | Buffer, user?: string): Promise<string>;
}

export function openDesk({ place, service }: Pick<Site, "place" | "service">): CredentialDesk {
  const operator = place.as("OPERATOR", undefined, 3_600);
  const { chargers, connections } = service;
  return {
    async rotate(id, fields = {}, of = service) {
      const request = RotateChargerPasswordRequest.fromPartial({ id, ...fields });
      return given((await call(of.chargers, of.chargers.rotateChargerPassword, request, operator)).charger);
    },
    async cancel(id) {
      return given((await call(chargers, chargers.cancelChargerPasswordRotation, { id }, operator)).charger);
    },
    async revoke(id) {
      return given((await call(chargers, chargers.revokeChargerPassword, { id }, operator)).charger);
    },
    async change(id, fields) {
      const updateMask = Object.keys(fields).map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
      const request = { charger: Charger.fromPartial({ id, ...fields }), updateMask };
      return given((await call(chargers, chargers.updateCharger, request, operator)).charger);
    },
    async knock(id, password, user = id) {
      const request = {
        chargerId: id,
        authorization: basic(user, password),
        protocols: ["ocpp1.6"],
        remoteAddress: "192.0.2.1",
        secure: false,
      };
      return (await call(connections, connections.checkConnection, request, await asService("gateway"))).reason;
    },
  };
}
