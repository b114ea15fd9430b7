// What all the scripts share: where Keytray is, whom it asks, and checks that
// are told on stdout, one a line: "ok NAME", or "not ok NAME" and why.
import { isDeepStrictEqual, inspect } from "node:util";

export const base = process.env.KEYTRAY_URL;
export const token = process.env.KEYTRAY_TOKEN;

// Prefixes of model names, by the dialect of the provider behind them.
export const upstreams = Object.entries(JSON.parse(process.env.UPSTREAMS));

// The real Ollama: {model, text}, or null.
export const real = JSON.parse(process.env.REAL ?? "null");

export const hello = "Hello from the test provider.";
export const city = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
};

export async function check(name, test) {
  try {
    await test();
    console.log("ok " + name);
  } catch (e) {
    console.log("not ok " + name + "\t" + String(e?.stack ?? e).replaceAll("\n", " | "));
  }
}

export function equal(got, want, what = "value") {
  if (!isDeepStrictEqual(got, want)) {
    throw new Error(`${what} is ${inspect(got, { depth: 9 })}, want ${inspect(want, { depth: 9 })}`);
  }
}

// fails is the error that a call ends in.
export async function fails(call) {
  try {
    await call();
  } catch (e) {
    return e;
  }
  throw new Error("no error");
}

// begun checks what came of an answer before its error: its first words, or
// nothing if the error was there before the first word could be sent on.
export function begun(text) {
  equal(text === "" || text.startsWith("word1 word2 "), true, text);
}
