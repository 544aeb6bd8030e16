import type { PreviewTemplateRequest, PreviewTemplateResponse } from "@chargemesh/contracts/email/v1/template_service";
import { render } from "../mail/document.ts";
import { readLanguage } from "../mail/language.ts";
import { templateById } from "./get-template.ts";

/** Where links lead that a real mail has. Nobody answers there (RFC 2606). */
const NOWHERE = "https://example.invalid";

/** A mail with the data of an example; its links lead nowhere. */
export const previewTemplate = async ({ id, language: tag, format }: PreviewTemplateRequest): Promise<PreviewTemplateResponse> => {
  const template = templateById(id);
  const language = readLanguage(tag);
  const { text, html } = render(template.preview(language), {
    language,
    ...(template.category !== "ACCOUNT" && { unsubscribeUrl: `${NOWHERE}/unsubscribe`, preferencesUrl: `${NOWHERE}/preferences` }),
  });
  const [contentType, content] = format === "text" ? ["text/plain; charset=utf-8", text] : ["text/html; charset=utf-8", html];
  return { body: { contentType, data: Buffer.from(content), extensions: [] } };
};
