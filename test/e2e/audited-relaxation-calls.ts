import type { Rest } from "../rest.ts";
import type { Done } from "./audited-calls.ts";

/** What vendors are allowed. */
export function auditedRelaxationCalls(admin: Rest): Record<string, () => Promise<Done>> {
  const create = (vendor: string) => admin("POST", "/ocpp/vendorRelaxations", { vendor, relaxations: ["EXTRA_FIELDS"] });
  return {
    "charger.v1.RelaxationService/CreateVendorRelaxation": async () => {
      const answer = await create("One of the audit");
      return { answer, resource: `vendorRelaxations/${answer.body.id}` };
    },
    "charger.v1.RelaxationService/UpdateVendorRelaxation": async () => {
      const { id } = (await create("Two of the audit")).body;
      const answer = await admin("PATCH", `/ocpp/vendorRelaxations/${id}`, { relaxations: ["ENUM_CASE"] });
      return { answer, resource: `vendorRelaxations/${id}` };
    },
    "charger.v1.RelaxationService/DeleteVendorRelaxation": async () => {
      const { id } = (await create("Three of the audit")).body;
      return { answer: await admin("DELETE", `/ocpp/vendorRelaxations/${id}`), resource: `vendorRelaxations/${id}` };
    },
  };
}
