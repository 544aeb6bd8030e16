import { connect } from "node:net";

/** What came back for a text that no HTTP client would send. */
export interface RawAnswers {
  /** Of every answer, in order. */
  statuses: number[];
  text: string;
}

/** How long a server that keeps the connection open may think about what more it might be sent, in ms. */
const SILENCE_MS = 300;

/** Sends `text` as it stands over a connection of its own, and collects what comes until the server ends it or has been silent for a while. */
export function sendRaw(url: string, text: string): Promise<RawAnswers> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text, "latin1"));
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (data) => {
      answer += data;
      socket.setTimeout(SILENCE_MS);
    });
    socket.on("timeout", () => socket.destroy());
    socket.on("error", reject);
    socket.on("close", () =>
      resolve({ statuses: [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)), text: answer }),
    );
  });
}
