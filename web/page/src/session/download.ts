// A file of the session, fetched with the token in a header: the link alone
// opens nothing, wherever it ends up.

export const FORMATS = [
  ["csv", "CSV"],
  ["json", "JSON"],
  ["md", "Markdown"],
] as const;

/** A line that swallows what is sent says nothing of it. */
const TIMEOUT_MS = 30_000;

export async function download(sessionId: string, token: string, format: string): Promise<boolean> {
  try {
    const path = `api/v1/sessions/${encodeURIComponent(sessionId)}/export?format=${format}`;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(path, { headers: { authorization: `Bearer ${token}` }, signal });
    if (!response.ok) return false;
    const named = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "");
    const url = URL.createObjectURL(await response.blob());
    const link = document.createElement("a");
    link.href = url;
    link.download = named?.[1] ?? `cardroom.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    return true;
  } catch {
    return false;
  }
}
