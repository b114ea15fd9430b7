import OpenAI from "openai";
import { base, token, upstreams, real, hello, city, check, equal, begun, fails } from "./check.mjs";

const client = new OpenAI({ baseURL: base + "/v1", apiKey: token, maxRetries: 0 });
const messages = [{ role: "user", content: "hi" }];
const tools = ["get_weather", "get_time"].map((name) => ({ type: "function", function: { name, parameters: city } }));

for (const [dialect, prefix] of upstreams) {
  const of = (name) => dialect + ": " + name;
  await check(of("whole"), async () => {
    const r = await client.chat.completions.create({ model: prefix + "text", messages });
    equal(r.choices[0].message.content, hello);
    equal(r.choices[0].finish_reason, "stop");
    equal([r.usage.prompt_tokens, r.usage.completion_tokens], [12, 7], "usage");
  });
  await check(of("stream"), async () => {
    const stream = client.chat.completions.stream({ model: prefix + "text", messages, stream_options: { include_usage: true } });
    let pieces = 0;
    for await (const chunk of stream) pieces += chunk.choices.length;
    const r = await stream.finalChatCompletion();
    equal(r.choices[0].message.content, hello);
    equal(pieces > 3, true, "in pieces");
    equal([r.usage.prompt_tokens, r.usage.completion_tokens], [12, 7], "usage");
  });
  for (const streamed of [false, true]) {
    await check(of("tools" + (streamed ? " streamed" : "")), async () => {
      const ask = async (messages) => {
        const p = { model: prefix + "tools", messages, tools };
        if (!streamed) return client.chat.completions.create(p);
        return client.chat.completions.stream(p).finalChatCompletion();
      };
      const first = (await ask(messages)).choices[0];
      equal(first.finish_reason, "tool_calls");
      const calls = first.message.tool_calls;
      equal(calls.map((c) => [c.function.name, JSON.parse(c.function.arguments)]), [
        ["get_weather", { city: "Paris" }],
        ["get_time", { zone: "Europe/Paris" }],
      ]);
      const results = calls.map((c) => ({ role: "tool", tool_call_id: c.id, content: "18 degrees" }));
      const second = (await ask([...messages, first.message, ...results])).choices[0];
      equal(second.message.content, "It is 18 degrees in Paris.");
    });
  }
  await check(of("length"), async () => {
    const r = await client.chat.completions.create({ model: prefix + "length", messages });
    equal([r.choices[0].message.content, r.choices[0].finish_reason], ["Once upon", "length"]);
  });
  await check(of("error before"), async () => {
    const e = await fails(() => client.chat.completions.create({ model: prefix + "error-429", messages }));
    equal([e.constructor, e.status, e.headers.get("retry-after")], [OpenAI.RateLimitError, 429, "7"]);
  });
  await check(of("error in the stream"), async () => {
    let text = "";
    const e = await fails(async () => {
      const s = await client.chat.completions.create({ model: prefix + "error-after", messages, stream: true });
      for await (const chunk of s) text += chunk.choices[0]?.delta.content ?? "";
    });
    equal(e instanceof OpenAI.APIError, true, e.constructor.name);
    begun(text);
  });
  await check(of("cut"), async () => {
    await fails(async () => {
      const s = await client.chat.completions.create({ model: prefix + "cut", messages, stream: true });
      for await (const _ of s);
    });
  });
}

if (real) {
  await check("real Ollama: whole and streamed", async () => {
    const p = { model: real.model, messages, temperature: 0 };
    equal((await client.chat.completions.create(p)).choices[0].message.content, real.text);
    equal((await client.chat.completions.stream(p).finalChatCompletion()).choices[0].message.content, real.text);
  });
}
await check("models", async () => {
  const ids = [];
  for await (const m of client.models.list()) ids.push(m.id);
  equal(ids.length > 3, true, ids);
  equal((await client.models.retrieve(ids[0])).id, ids[0]);
});
await check("wrong token", async () => {
  const e = await fails(() => new OpenAI({ baseURL: base + "/v1", apiKey: "wrong", maxRetries: 0 }).models.list());
  equal(e.constructor, OpenAI.AuthenticationError);
});
