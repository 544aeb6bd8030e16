import type { ListTemplatesResponse } from "@chargemesh/contracts/email/v1/template_service";
import { templates } from "../mail/templates/index.ts";
import { toTemplate } from "./get-template.ts";

export const listTemplates = async (): Promise<ListTemplatesResponse> => ({
  templates: Object.values(templates)
    .map(toTemplate)
    .sort((one, other) => compare(one.category, other.category) || compare(one.id, other.id)),
});

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
