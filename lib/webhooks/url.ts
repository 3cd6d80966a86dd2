// Where a webhook may lead: any server, also one on this machine, because admins set the URLs.

import { LIMITS } from "#lib/base/limits.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";

/** The text, if it is one; else throws `parameter_invalid` for the field `url`. */
export function checkWebhookUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  const isShort = text.length <= LIMITS.triggerUrlCharsMax;
  // The platform would refuse to send to a URL with a name and a password in it.
  if (url !== null && isWeb && isShort && url.username === "" && url.password === "") return text;
  const most = `an http or https URL of up to ${LIMITS.triggerUrlCharsMax} characters`;
  throw wrongParameter("url", `${most}, without a user name`);
}
