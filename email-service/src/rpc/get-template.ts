import type { Template } from "@chargemesh/contracts/email/v1/template";
import type { GetTemplateRequest, GetTemplateResponse } from "@chargemesh/contracts/email/v1/template_service";
import { AppError } from "@chargemesh/kit/errors";
import { languages } from "../mail/language.ts";
import { isTemplateId, type TemplateId, templates } from "../mail/templates/index.ts";

export const getTemplate = async ({ id }: GetTemplateRequest): Promise<GetTemplateResponse> => ({
  template: toTemplate(templateById(id)),
});

export function templateById(id: string): (typeof templates)[TemplateId] {
  if (!isTemplateId(id)) throw new AppError("notFound", "TEMPLATE_NOT_FOUND", `No template ${id}.`);
  return templates[id];
}

export function toTemplate({ id, category, description }: (typeof templates)[TemplateId]): Template {
  return { id, category, description, languages: [...languages] };
}
