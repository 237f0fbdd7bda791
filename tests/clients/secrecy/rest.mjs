// What the REST API answers about a session, on a tape.

const EXPORTS = ["csv", "json", "md"];
/** They tell of the moment and of the HTTP connection. */
const PASSING = new Set(["date", "connection", "keep-alive"]);

export class Rest {
  constructor(tape, url) {
    Object.assign(this, { tape, url });
  }

  /** Asks for all there is; `member` is the client whose token is shown. */
  async look(stream, { sessionId, code, member, note = "" }) {
    const api = `${this.url}/api/v1/sessions`;
    const headers = { authorization: `Bearer ${member.token}` };
    const ask = async (path, options = { headers }) => {
      const answer = await fetch(`${api}${path}`, options);
      const kept = [...answer.headers].filter(([name]) => !PASSING.has(name));
      const body = await answer.text();
      this.tape.add(stream, `${note}${path} ${answer.status} ${JSON.stringify(kept)} ${body}`);
    };
    await ask(`/${sessionId}`, {});
    await ask(`/${code}`, {});
    await ask(`/${sessionId}/state`);
    for (const format of EXPORTS) await ask(`/${code}/export?format=${format}`);
    await ask("/validate", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ sessionId, playerToken: member.token }),
    });
    // Somebody who must not.
    await ask(`/${sessionId}/export?format=json`, {});
  }
}
