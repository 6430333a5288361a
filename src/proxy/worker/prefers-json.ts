/** `application/json`, `application/problem+json` and the like (RFC 6839, 3.1). */
const JSON_TYPE = /^application\/(?:[^\s/;]+\+)?json$/;

/**
 * Whether a client would rather have JSON than a page, by its Accept (RFC 9110, 12.5.1): it names JSON, with a higher
 * quality than HTML. One that only says any type, or nothing, gets the page.
 */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  let json = 0;
  let page = 0;
  for (const range of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const quality = qualityOf(parameters);
    if (JSON_TYPE.test(type)) json = Math.max(json, quality);
    else if (type === "text/html" || type === "application/xhtml+xml") page = Math.max(page, quality);
  }
  return json > page;
}

function qualityOf(parameters: readonly string[]): number {
  const written = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = written === undefined ? 1 : Number(written.slice(2));
  return quality >= 0 && quality <= 1 ? quality : 0;
}
