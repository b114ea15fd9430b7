import { GoogleGenAI, ApiError } from "@google/genai";
import { base, token, upstreams, real, hello, city, check, equal, begun, fails } from "./check.mjs";

const client = new GoogleGenAI({ apiKey: token, httpOptions: { baseUrl: base } });
const tools = [{ functionDeclarations: ["get_weather", "get_time"].map((name) => ({ name, parametersJsonSchema: city })) }];

// ask returns the parts of an answer, and how it ended.
async function ask(p, streamed) {
  const chunks = [];
  if (streamed) for await (const c of await client.models.generateContentStream(p)) chunks.push(c);
  else chunks.push(await client.models.generateContent(p));
  const parts = chunks.flatMap((c) => c.candidates?.[0]?.content?.parts ?? []);
  return {
    parts,
    text: parts.filter((p) => !p.thought).map((p) => p.text ?? "").join(""),
    thoughts: parts.filter((p) => p.thought).map((p) => p.text ?? "").join(""),
    finish: chunks.map((c) => c.candidates?.[0]?.finishReason).findLast(Boolean),
    usage: chunks.map((c) => c.usageMetadata).findLast(Boolean),
  };
}

for (const [dialect, prefix] of upstreams) {
  const of = (name) => dialect + ": " + name;
  for (const streamed of [false, true]) {
    const form = streamed ? " streamed" : "";
    await check(of("text" + form), async () => {
      const r = await ask({ model: prefix + "text", contents: "hi" }, streamed);
      equal([r.text, r.finish, r.usage.promptTokenCount, r.usage.candidatesTokenCount], [hello, "STOP", 12, 7]);
    });
    await check(of("tools" + form), async () => {
      const p = { model: prefix + "tools", config: { tools } };
      const question = { role: "user", parts: [{ text: "hi" }] };
      const first = await ask({ ...p, contents: [question] }, streamed);
      const calls = first.parts.filter((p) => p.functionCall).map((p) => p.functionCall);
      equal(calls.map((c) => [c.name, c.args]), [
        ["get_weather", { city: "Paris" }],
        ["get_time", { zone: "Europe/Paris" }],
      ]);
      const results = calls.map((c) => ({ functionResponse: { id: c.id, name: c.name, response: { output: "18 degrees" } } }));
      const second = await ask({ ...p, contents: [question, { role: "model", parts: first.parts }, { role: "user", parts: results }] }, streamed);
      equal(second.text, "It is 18 degrees in Paris.");
    });
    await check(of("thinking" + form), async () => {
      const r = await ask({ model: prefix + "think", contents: "hi", config: { thinkingConfig: { includeThoughts: true } } }, streamed);
      equal([r.thoughts, r.text], ["Two plus two is four.", "Four."]);
    });
    await check(of("length" + form), async () => {
      const r = await ask({ model: prefix + "length", contents: "hi" }, streamed);
      equal([r.text, r.finish], ["Once upon", "MAX_TOKENS"]);
    });
  }
  await check(of("error before"), async () => {
    const e = await fails(() => client.models.generateContent({ model: prefix + "error-429", contents: "hi" }));
    equal([e.constructor, e.status], [ApiError, 429]);
    equal(JSON.parse(e.message).error.status, "RESOURCE_EXHAUSTED");
  });
  await check(of("error in the stream"), async () => {
    let got = "";
    await fails(async () => {
      for await (const c of await client.models.generateContentStream({ model: prefix + "error-after", contents: "hi" })) got += c.text ?? "";
    });
    begun(got);
  });
  await check(of("count tokens"), async () => {
    const n = await client.models.countTokens({ model: prefix + "text", contents: "hi" });
    equal(n.totalTokens > 0, true, n.totalTokens);
  });
}
if (real) {
  await check("real Ollama: whole and streamed", async () => {
    const p = { model: real.model, contents: "hi there, what now?" };
    equal((await ask(p, false)).text, real.text);
    equal((await ask(p, true)).text, real.text);
  });
}
await check("models", async () => {
  const names = [];
  for await (const m of await client.models.list()) names.push(m.name);
  equal(names.length > 3 && names.every((n) => n.startsWith("models/")), true, names);
});
await check("wrong token", async () => {
  const wrong = new GoogleGenAI({ apiKey: "wrong", httpOptions: { baseUrl: base } });
  const e = await fails(() => wrong.models.generateContent({ model: "openai/text", contents: "hi" }));
  equal([400, 401].includes(e.status), true, e.status);
});
