// Vercel's AI SDK with one of its providers: node ai.mjs NAME.
import { generateText, streamText, tool, jsonSchema, isStepCount, embedMany } from "ai";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { base, token, upstreams, real, hello, city, check, equal, fails } from "./check.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;
const providers = {
  chat: () => createOpenAI({ baseURL: base + "/v1", apiKey: token }).chat,
  responses: () => createOpenAI({ baseURL: base + "/v1", apiKey: token }).responses,
  kept: () => createOpenAI({ baseURL: base + "/v1", apiKey: token }), // responses too, as it is by itself
  compatible: () => createOpenAICompatible({ name: "keytray", baseURL: base + "/v1", apiKey: token, includeUsage: true }),
  anthropic: () => createAnthropic({ baseURL: base + "/v1", apiKey: token }),
  google: () => createGoogle({ baseURL: base + "/v1beta", apiKey: token }),
};
const which = process.argv[2];
const provider = providers[which]();
const prompt = "hi";

// By itself this client has OpenAI keep each answer and refers to it by its id
// in the next step: what keep_responses is for.
const providerOptions = { openai: which === "kept" ? {} : { store: false }, google: { thinkingConfig: { includeThoughts: true } } };

const calls = [];
const run = (name) => tool({
  description: name,
  inputSchema: jsonSchema(city),
  execute: async (input) => {
    calls.push([name, input]);
    return "18 degrees";
  },
});
const tools = { get_weather: run("get_weather"), get_time: run("get_time") };

for (const [dialect, prefix] of upstreams) {
  const of = (name) => dialect + ": " + name;
  const model = (name) => provider(prefix + name);
  await check(of("whole"), async () => {
    const r = await generateText({ model: model("text"), prompt, providerOptions, maxRetries: 0 });
    equal([r.text, r.finishReason, r.usage.inputTokens, r.usage.outputTokens], [hello, "stop", 12, 7]);
  });
  await check(of("stream"), async () => {
    const r = streamText({ model: model("text"), prompt, providerOptions, maxRetries: 0 });
    const pieces = [];
    for await (const p of r.textStream) pieces.push(p);
    equal([pieces.join(""), await r.finishReason], [hello, "stop"]);
    equal(pieces.length > 1, true, "in pieces");
    const usage = await r.usage;
    equal([usage.inputTokens, usage.outputTokens], [12, 7], "usage");
  });
  for (const streamed of [false, true]) {
    await check(of("tools" + (streamed ? " streamed" : "")), async () => {
      calls.length = 0;
      const p = { model: model("tools"), prompt, tools, stopWhen: isStepCount(3), providerOptions, maxRetries: 0 };
      let text;
      if (streamed) {
        const r = streamText(p);
        await r.consumeStream({ onError: (e) => { throw e; } });
        text = (await r.steps).at(-1).text;
      } else {
        text = (await generateText(p)).text;
      }
      equal(text, "It is 18 degrees in Paris.");
      equal(calls.toSorted(), [["get_time", { zone: "Europe/Paris" }], ["get_weather", { city: "Paris" }]], "calls");
    });
  }
  await check(of("reasoning"), async () => {
    const r = streamText({ model: model("think"), prompt, providerOptions, maxRetries: 0 });
    await r.consumeStream();
    equal(await r.text, "Four.");
    if (which !== "chat") equal(await r.reasoningText, "Two plus two is four."); // OpenAI's chat has no reasoning
  });
  await check(of("length"), async () => {
    const r = await generateText({ model: model("length"), prompt, providerOptions, maxRetries: 0 });
    equal([r.text, r.finishReason], ["Once upon", "length"]);
  });
  await check(of("error before"), async () => {
    const e = await fails(() => generateText({ model: model("error-429"), prompt, providerOptions, maxRetries: 0 }));
    equal([e.statusCode, e.isRetryable, e.responseHeaders["retry-after"]], [429, true, "7"]);
    equal(/Rate limit/.test(e.message), true, e.message);
  });
  await check(of("error in the stream"), async () => {
    const errors = [];
    const r = streamText({ model: model("error-after"), prompt, providerOptions, maxRetries: 0, onError: ({ error }) => errors.push(error) });
    await r.consumeStream();
    equal(errors.length > 0, true, "an error");
  });
}
if (real) {
  await check("real Ollama: whole and streamed", async () => {
    const p = { model: provider(real.model), prompt: "hi there, what now?", temperature: 0, providerOptions, maxRetries: 0 };
    equal((await generateText(p)).text, real.text);
    equal(await streamText(p).text, real.text);
  });
}
